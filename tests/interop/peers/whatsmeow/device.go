package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
	_ "modernc.org/sqlite"
)

type startArgs struct {
	URL        string `json:"url"`
	RootKey    string `json:"rootKey"`
	RootSerial int    `json:"rootSerial"`
	Store      string `json:"store"`
	Pair       string `json:"pair"`
	Phone      string `json:"phone"`
	Media      string `json:"media"`
}

// none is what commands without arguments take.
type none struct{}

// device is the one linked device of this process.
type device struct {
	out   *lines
	cli   *whatsmeow.Client
	pair  string
	phone string
	// mediaRetries are the requests to the phone for files.
	mediaRetries mediaRetries
}

// openDevice opens the credentials and prepares the client; nothing is connected yet.
func openDevice(ctx context.Context, out *lines, args startArgs) (*device, error) {
	if err := setRootKey(args.RootKey, args.RootSerial); err != nil {
		return nil, err
	}
	webSocket, err := webSocketClient(args.URL)
	if err != nil {
		return nil, err
	}
	media, err := mediaClient(args.Media)
	if err != nil {
		return nil, err
	}
	if args.Pair == "code" && args.Phone == "" {
		return nil, errors.New("pairing by code needs a phone number")
	}
	log := newLog()
	if err := os.MkdirAll(args.Store, 0o700); err != nil {
		return nil, err
	}
	address := "file:" + filepath.Join(args.Store, "whatsmeow.db") +
		"?_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_txlock=immediate"
	container, err := sqlstore.New(ctx, "sqlite", address, log.Sub("Store"))
	if err != nil {
		return nil, err
	}
	credentials, err := container.GetFirstDevice(ctx)
	if err != nil {
		return nil, err
	}
	if credentials.ID == nil && args.Pair != "qr" && args.Pair != "code" {
		return nil, errors.New("not linked, and not told how to pair")
	}
	dev := &device{out: out, cli: whatsmeow.NewClient(credentials, log), pair: args.Pair, phone: args.Phone}
	// The client changes from one to the other when it is linked.
	dev.cli.SetPreLoginHTTPClient(webSocket)
	dev.cli.SetWebsocketHTTPClient(webSocket)
	dev.cli.SetMediaHTTPClient(media)
	// An application must be able to answer a retry receipt, also after a restart.
	dev.cli.UseRetryMessageStore = true
	dev.cli.AddEventHandler(dev.onEvent)
	return dev, nil
}

// setRootKey replaces the key that signs the service's certificates: one per process.
func setRootKey(text string, serial int) error {
	key, err := hex.DecodeString(text)
	if err != nil {
		return err
	}
	if len(key) != len(whatsmeow.WACertPubKey) {
		return fmt.Errorf("rootKey is not %d bytes of hex", len(whatsmeow.WACertPubKey))
	}
	if serial != whatsmeow.WACertIssuerSerial {
		return fmt.Errorf("whatsmeow accepts the root serial %d only", whatsmeow.WACertIssuerSerial)
	}
	copy(whatsmeow.WACertPubKey[:], key)
	return nil
}

// begin connects in the background; how it goes comes as events.
func (d *device) begin() error {
	if d.cli.Store.ID == nil {
		codes, err := d.cli.GetQRChannel(context.Background())
		if err != nil {
			return err
		}
		go d.showCodes(codes)
	}
	go func() {
		if err := d.cli.Connect(); err != nil {
			d.disconnected(nil, err.Error(), false)
		}
	}()
	return nil
}

func (d *device) showCodes(codes <-chan whatsmeow.QRChannelItem) {
	asked := false
	for item := range codes {
		switch {
		case item.Event == whatsmeow.QRChannelEventCode:
			d.out.event("qr", fields{"text": item.Code})
			// Only once the service has sent its first code: the request is refused before.
			if d.pair == "code" && !asked {
				asked = true
				go d.askForCode()
			}
		case item.Event == whatsmeow.QRChannelEventError:
			d.out.event("pairing_failed", fields{"reason": item.Error.Error()})
		case item != whatsmeow.QRChannelSuccess:
			d.out.event("pairing_failed", fields{"reason": item.Event})
		}
	}
}

func (d *device) askForCode() {
	code, err := d.cli.PairPhone(context.Background(), d.phone, true, whatsmeow.PairClientChrome, "Chrome (Linux)")
	if err != nil {
		d.out.event("pairing_failed", fields{"reason": err.Error()})
		return
	}
	d.out.event("pairing_code", fields{"code": strings.ReplaceAll(code, "-", "")})
}

// identity returns the device's own addresses, nil when it is not linked.
func (d *device) identity() (jid, lid any) {
	if id := d.cli.Store.ID; id != nil {
		jid = id.String()
	}
	if id := d.cli.Store.LID; !id.IsEmpty() {
		lid = id.String()
	}
	return jid, lid
}

type sendTextArgs struct {
	To    types.JID `json:"to"`
	Text  string    `json:"text"`
	Quote *struct {
		ID     string    `json:"id"`
		Sender types.JID `json:"sender"`
		Text   string    `json:"text"`
	} `json:"quote"`
	MessageID types.MessageID `json:"messageId"`
}

func (d *device) sendText(ctx context.Context, args sendTextArgs) (any, error) {
	message := &waE2E.Message{Conversation: proto.String(args.Text)}
	if quote := args.Quote; quote != nil {
		message = &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
			Text: proto.String(args.Text),
			ContextInfo: &waE2E.ContextInfo{
				StanzaID:      proto.String(quote.ID),
				Participant:   proto.String(quote.Sender.ToNonAD().String()),
				QuotedMessage: &waE2E.Message{Conversation: proto.String(quote.Text)},
			},
		}}
	}
	sent, err := d.cli.SendMessage(ctx, args.To, message, whatsmeow.SendRequestExtra{ID: args.MessageID})
	if err != nil {
		return nil, err
	}
	return fields{"messageId": sent.ID, "timestamp": sent.Timestamp.Unix()}, nil
}

type markReadArgs struct {
	Chat   types.JID `json:"chat"`
	IDs    []string  `json:"ids"`
	Sender types.JID `json:"sender"`
}

func (d *device) markRead(ctx context.Context, args markReadArgs) (any, error) {
	return nil, d.cli.MarkRead(ctx, args.IDs, time.Now(), args.Chat, args.Sender)
}

type sendPresenceArgs struct {
	State string    `json:"state"`
	To    types.JID `json:"to"`
}

func (d *device) sendPresence(ctx context.Context, args sendPresenceArgs) (any, error) {
	switch {
	case args.To.IsEmpty():
		return nil, d.cli.SendPresence(ctx, types.Presence(args.State))
	case args.State == "recording":
		return nil, d.cli.SendChatPresence(ctx, args.To, types.ChatPresenceComposing, types.ChatPresenceMediaAudio)
	default:
		return nil, d.cli.SendChatPresence(ctx, args.To, types.ChatPresence(args.State), types.ChatPresenceMediaText)
	}
}

type forgetSessionArgs struct {
	With types.JID `json:"with"`
}

func (d *device) forgetSession(ctx context.Context, args forgetSessionArgs) (any, error) {
	return nil, d.cli.Store.Sessions.DeleteAllSessions(ctx, args.With.SignalAddressUser())
}

func (d *device) disconnect(context.Context, none) (any, error) {
	connected := d.cli.IsConnected()
	d.cli.Disconnect()
	if connected {
		// whatsmeow reports only what others close.
		d.disconnected(nil, "closed by us", false)
	}
	return nil, nil
}

func (d *device) connect(context.Context, none) (any, error) {
	if d.cli.IsConnected() {
		return nil, whatsmeow.ErrAlreadyConnected
	}
	return nil, d.begin()
}

func (d *device) logout(ctx context.Context, _ none) (any, error) {
	if err := d.cli.Logout(ctx); err != nil {
		return nil, err
	}
	d.out.event("logged_out", fields{"code": nil, "reason": "self"})
	return nil, nil
}

// moduleVersion says which whatsmeow was compiled in.
func moduleVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == "go.mau.fi/whatsmeow" {
				return dep.Version
			}
		}
	}
	return "unknown"
}
