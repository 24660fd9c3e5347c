package main

import (
	"context"
	"encoding/hex"
	"errors"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

const vcard = "BEGIN:VCARD\nVERSION:3.0\nFN:Zoë\nEND:VCARD"

type sendRawArgs struct {
	To  types.JID `json:"to"`
	Raw string    `json:"raw"`
}

// sendRaw sends a message that is made already.
func (d *device) sendRaw(ctx context.Context, args sendRawArgs) (any, error) {
	raw, err := hex.DecodeString(args.Raw)
	if err != nil {
		return nil, err
	}
	message := &waE2E.Message{}
	if err := proto.Unmarshal(raw, message); err != nil {
		return nil, err
	}
	return d.send(ctx, args.To, message)
}

func (d *device) send(ctx context.Context, to types.JID, message *waE2E.Message) (any, error) {
	sent, err := d.cli.SendMessage(ctx, to, message, whatsmeow.SendRequestExtra{})
	if err != nil {
		return nil, err
	}
	return fields{"messageId": sent.ID, "timestamp": sent.Timestamp.Unix()}, nil
}

type sendBuiltArgs struct {
	To     types.JID `json:"to"`
	Kind   string    `json:"kind"`
	Text   string    `json:"text"`
	Target *struct {
		ID     types.MessageID `json:"id"`
		FromMe bool            `json:"fromMe"`
		Sender types.JID       `json:"sender"`
	} `json:"target"`
}

// sendBuilt sends what the client's own builders make; a target is a message of the chat.
func (d *device) sendBuilt(ctx context.Context, args sendBuiltArgs) (any, error) {
	message, err := d.build(ctx, args)
	if err != nil {
		return nil, err
	}
	return d.send(ctx, args.To, message)
}

func (d *device) build(ctx context.Context, args sendBuiltArgs) (*waE2E.Message, error) {
	switch args.Kind {
	case "text":
		return &waE2E.Message{Conversation: proto.String(args.Text)}, nil
	case "location":
		return &waE2E.Message{LocationMessage: &waE2E.LocationMessage{
			DegreesLatitude: proto.Float64(59.91), DegreesLongitude: proto.Float64(10.75), Name: proto.String(args.Text),
		}}, nil
	case "contact":
		return &waE2E.Message{ContactMessage: &waE2E.ContactMessage{
			DisplayName: proto.String(args.Text), Vcard: proto.String(vcard),
		}}, nil
	case "poll":
		return d.cli.BuildPollCreation(args.Text, []string{"Soup", "Tea"}, 1), nil
	}
	if args.Target == nil {
		return nil, errors.New("no builder for " + args.Kind)
	}
	sender := args.Target.Sender
	if args.Target.FromMe {
		sender = types.EmptyJID
	}
	switch args.Kind {
	case "reaction":
		return d.cli.BuildReaction(args.To, args.Target.Sender, args.Target.ID, args.Text), nil
	case "edit":
		content := &waE2E.Message{Conversation: proto.String(args.Text)}
		return d.cli.BuildEdit(args.To, args.Target.ID, content), nil
	case "revoke":
		return d.cli.BuildRevoke(args.To, sender, args.Target.ID), nil
	case "vote":
		info := &types.MessageInfo{ID: args.Target.ID, MessageSource: types.MessageSource{
			Chat: args.To, Sender: args.Target.Sender, IsFromMe: args.Target.FromMe,
		}}
		return d.cli.BuildPollVote(ctx, info, []string{args.Text})
	case "pin":
		return &waE2E.Message{
			PinInChatMessage: &waE2E.PinInChatMessage{
				Key: &waCommon.MessageKey{
					RemoteJID: proto.String(args.To.String()), FromMe: proto.Bool(args.Target.FromMe), ID: proto.String(args.Target.ID),
				},
				Type: waE2E.PinInChatMessage_PIN_FOR_ALL.Enum(),
			},
			MessageContextInfo: &waE2E.MessageContextInfo{MessageAddOnDurationInSecs: proto.Uint32(86_400)},
		}, nil
	default:
		return nil, errors.New("no builder for " + args.Kind)
	}
}
