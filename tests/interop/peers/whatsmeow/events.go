package main

import (
	"context"
	"encoding/hex"
	"strconv"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// onEvent puts whatsmeow's events into the words of the peer protocol.
func (d *device) onEvent(raw any) {
	d.tell(raw)
	switch evt := raw.(type) {
	case *events.PairSuccess:
		d.out.event("linked", fields{"jid": evt.ID.String(), "lid": evt.LID.String()})
	case *events.Connected:
		jid, lid := d.identity()
		d.out.event("connected", fields{"jid": jid, "lid": lid})
	case *events.OfflineSyncCompleted:
		d.out.event("caught_up", fields{"count": evt.Count})
	case *events.Message:
		f := messageFields(evt)
		if evt.Message.GetPollUpdateMessage() != nil {
			if vote, err := d.cli.DecryptPollVote(context.Background(), evt); err == nil {
				f["vote"] = hashes(vote.GetSelectedOptions())
			}
		}
		d.out.event("message", f)
	case *events.UndecryptableMessage:
		reason := "decryption failed"
		if evt.IsUnavailable {
			reason = "unavailable"
		}
		f := sourceFields(&evt.Info)
		f["reason"] = reason
		d.out.event("undecryptable", f)
	case *events.Receipt:
		d.out.event("receipt", fields{
			"ids": evt.MessageIDs, "chat": evt.Chat.String(), "sender": evt.Sender.String(), "type": receiptType(evt.Type),
		})
	case *events.Presence:
		state := "available"
		if evt.Unavailable {
			state = "unavailable"
		}
		d.out.event("presence", fields{"sender": evt.From.String(), "chat": nil, "state": state})
	case *events.ChatPresence:
		state := string(evt.State)
		if evt.State == types.ChatPresenceComposing && evt.Media == types.ChatPresenceMediaAudio {
			state = "recording"
		}
		d.out.event("presence", fields{"sender": evt.Sender.String(), "chat": evt.Chat.String(), "state": state})
	case *events.JoinedGroup:
		d.group(evt.JID, "create", participantJIDs(evt.Participants))
	case *events.GroupInfo:
		d.groupChanged(evt)
	case *events.MediaRetry:
		d.mediaRetries.answered(evt)
	case *events.HistorySync:
		d.out.event("history", historyFields(evt))
	default:
		d.onConnectionEvent(raw)
	}
}

func (d *device) onConnectionEvent(raw any) {
	switch evt := raw.(type) {
	case *events.Disconnected:
		// Without credentials the client does not come back by itself.
		d.disconnected(nil, "closed by the service", d.cli.Store.ID != nil)
	case *events.LoggedOut:
		var code any
		if evt.OnConnect {
			code = int(evt.Reason)
		}
		d.out.event("logged_out", fields{"code": code, "reason": evt.Reason.String()})
	case *events.StreamReplaced:
		d.disconnected(nil, "replaced", false)
	case *events.ClientOutdated:
		d.disconnected(int(events.ConnectFailureClientOutdated), "client outdated", false)
	case *events.TemporaryBan:
		d.disconnected(int(events.ConnectFailureTempBanned), evt.String(), false)
	case *events.ConnectFailure:
		d.disconnected(int(evt.Reason), evt.Reason.String(), false)
	case *events.StreamError:
		d.out.event("fault", fields{"text": "stream error " + strconv.Quote(evt.Code)})
	case *events.KeepAliveTimeout:
		d.out.event("fault", fields{"text": "keepalive unanswered"})
	}
}

func (d *device) disconnected(code any, reason string, willReconnect bool) {
	d.out.event("disconnected", fields{"code": code, "reason": reason, "willReconnect": willReconnect})
}

func receiptType(t types.ReceiptType) string {
	if t == types.ReceiptTypeDelivered {
		return "delivered"
	}
	return string(t)
}

func sourceFields(info *types.MessageInfo) fields {
	return fields{"id": info.ID, "chat": info.Chat.String(), "sender": info.Sender.String()}
}

func messageFields(evt *events.Message) fields {
	f := sourceFields(&evt.Info)
	f["fromMe"] = evt.Info.IsFromMe
	f["text"] = orNil(firstOf(evt.Message.GetConversation(), evt.Message.GetExtendedTextMessage().GetText()))
	name, context := contentOf(evt.Message)
	f["content"] = name
	f["timestamp"] = evt.Info.Timestamp.Unix()
	f["pushName"] = orNil(evt.Info.PushName)
	f["quotedId"] = orNil(context.GetStanzaID())
	f["attrs"] = fields{}
	raw, err := proto.Marshal(evt.RawMessage)
	if err != nil {
		raw = nil
	}
	f["raw"] = hex.EncodeToString(raw)
	return f
}

// contentOf returns the name of the field that says what kind of message it is, and its context.
func contentOf(message *waE2E.Message) (name string, context *waE2E.ContextInfo) {
	message.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if name = field.JSONName(); name == "messageContextInfo" || name == "senderKeyDistributionMessage" {
			name = ""
			return true
		}
		if field.Message() != nil {
			if content, ok := value.Message().Interface().(interface{ GetContextInfo() *waE2E.ContextInfo }); ok {
				context = content.GetContextInfo()
			}
		}
		return false
	})
	return name, context
}

func historyFields(evt *events.HistorySync) fields {
	texts := []fields{}
	names, people := fields{}, fields{}
	for _, conversation := range evt.Data.GetConversations() {
		if conversation.GetName() != "" {
			names[conversation.GetID()] = conversation.GetName()
		}
		for _, message := range conversation.GetMessages() {
			key, content := message.GetMessage().GetKey(), message.GetMessage().GetMessage()
			texts = append(texts, fields{
				"chat": key.GetRemoteJID(), "id": key.GetID(), "fromMe": key.GetFromMe(),
				"text": orNil(firstOf(content.GetConversation(), content.GetExtendedTextMessage().GetText())),
			})
		}
	}
	for _, name := range evt.Data.GetPushnames() {
		people[name.GetID()] = name.GetPushname()
	}
	return fields{
		"syncType": int(evt.Data.GetSyncType()), "chats": len(evt.Data.GetConversations()), "messages": len(texts),
		"names": names, "people": people, "texts": texts,
	}
}

func hashes(options [][]byte) []string {
	texts := make([]string, 0, len(options))
	for _, option := range options {
		texts = append(texts, hex.EncodeToString(option))
	}
	return texts
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}
