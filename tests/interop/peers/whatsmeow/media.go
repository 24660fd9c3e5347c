package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"sync"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

// octets are hex in the peer protocol.
type octets []byte

func (o octets) MarshalText() ([]byte, error) {
	return []byte(hex.EncodeToString(o)), nil
}

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(text))
	return err
}

// mediaFile is a file on the media hosts.
type mediaFile struct {
	URL           string `json:"url"`
	DirectPath    string `json:"directPath"`
	MediaKey      octets `json:"mediaKey"`
	FileSHA256    octets `json:"fileSha256"`
	FileEncSHA256 octets `json:"fileEncSha256"`
	FileLength    uint64 `json:"fileLength"`
}

// mediaTypes are the kinds of files that whatsmeow knows, by their names on the wire.
var mediaTypes = map[string]whatsmeow.MediaType{
	"image":          whatsmeow.MediaImage,
	"sticker":        whatsmeow.MediaImage,
	"video":          whatsmeow.MediaVideo,
	"gif":            whatsmeow.MediaVideo,
	"ptv":            whatsmeow.MediaVideo,
	"audio":          whatsmeow.MediaAudio,
	"ptt":            whatsmeow.MediaAudio,
	"document":       whatsmeow.MediaDocument,
	"thumbnail-link": whatsmeow.MediaLinkThumbnail,
	"sticker-pack":   whatsmeow.MediaStickerPack,
}

func mediaType(kind string) (whatsmeow.MediaType, error) {
	if found, ok := mediaTypes[kind]; ok {
		return found, nil
	}
	return "", fmt.Errorf("whatsmeow has no kind of file %s", kind)
}

type uploadMediaArgs struct {
	Kind string `json:"kind"`
	Path string `json:"path"`
}

func (d *device) uploadMedia(ctx context.Context, args uploadMediaArgs) (any, error) {
	kind, err := mediaType(args.Kind)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(args.Path)
	if err != nil {
		return nil, err
	}
	up, err := d.cli.Upload(ctx, content, kind)
	if err != nil {
		return nil, err
	}
	return mediaFile{
		URL: up.URL, DirectPath: up.DirectPath, MediaKey: up.MediaKey,
		FileSHA256: up.FileSHA256, FileEncSHA256: up.FileEncSHA256, FileLength: up.FileLength,
	}, nil
}

type downloadMediaArgs struct {
	Kind string    `json:"kind"`
	File mediaFile `json:"file"`
	Path string    `json:"path"`
}

func (d *device) downloadMedia(ctx context.Context, args downloadMediaArgs) (any, error) {
	kind, err := mediaType(args.Kind)
	if err != nil {
		return nil, err
	}
	f := args.File
	content, err := d.cli.DownloadMediaWithPath(ctx, f.DirectPath, f.FileEncSHA256, f.FileSHA256, f.MediaKey, kind, "", false)
	if err != nil {
		return nil, err
	}
	return fields{"length": len(content)}, os.WriteFile(args.Path, content, 0o600)
}

// mediaRetries waits for what the phone answers.
type mediaRetries struct {
	mutex   sync.Mutex
	waiting map[types.MessageID]chan *events.MediaRetry
}

func (m *mediaRetries) expect(id types.MessageID) chan *events.MediaRetry {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.waiting == nil {
		m.waiting = make(map[types.MessageID]chan *events.MediaRetry)
	}
	answer := make(chan *events.MediaRetry, 1)
	m.waiting[id] = answer
	return answer
}

func (m *mediaRetries) answered(evt *events.MediaRetry) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if answer, ok := m.waiting[evt.MessageID]; ok {
		delete(m.waiting, evt.MessageID)
		answer <- evt
	}
}

type askForMediaArgs struct {
	File        mediaFile       `json:"file"`
	Chat        types.JID       `json:"chat"`
	ID          types.MessageID `json:"id"`
	FromMe      bool            `json:"fromMe"`
	Participant types.JID       `json:"participant"`
}

func (d *device) askForMedia(ctx context.Context, args askForMediaArgs) (any, error) {
	answer := d.mediaRetries.expect(args.ID)
	info := &types.MessageInfo{ID: args.ID, MessageSource: types.MessageSource{
		Chat: args.Chat, Sender: args.Participant, IsFromMe: args.FromMe, IsGroup: args.Chat.Server == types.GroupServer,
	}}
	if err := d.cli.SendMediaRetryReceipt(ctx, info, args.File.MediaKey); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case evt := <-answer:
		retry, err := whatsmeow.DecryptMediaRetryNotification(evt, args.File.MediaKey)
		if err != nil {
			return nil, err
		}
		if retry.GetDirectPath() == "" {
			return nil, fmt.Errorf("the phone answered %s", retry.GetResult())
		}
		return fields{"directPath": retry.GetDirectPath()}, nil
	}
}
