// Command whatsmeow-peer is whatsmeow behind the peer protocol (see ../PROTOCOL.md).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync/atomic"
)

func main() {
	out := newLines(os.Stdout)
	// Its Signal library logs on standard output, which would tear the protocol apart.
	os.Stdout = os.Stderr
	if err := (&program{out: out}).serve(os.Stdin); err != nil {
		out.event("fault", fields{"text": err.Error()})
		os.Exit(1)
	}
}

// program answers the commands of one process.
type program struct {
	out *lines
	dev atomic.Pointer[device]
}

var errNotStarted = errors.New("not started")

func (p *program) serve(in *os.File) error {
	handlers := map[string]handler{
		"start":           p.start,
		"info":            p.info,
		"send_text":       withDevice(p, (*device).sendText),
		"send_raw":        withDevice(p, (*device).sendRaw),
		"send_built":      withDevice(p, (*device).sendBuilt),
		"mark_read":       withDevice(p, (*device).markRead),
		"send_presence":   withDevice(p, (*device).sendPresence),
		"create_group":    withDevice(p, (*device).createGroup),
		"group_info":      withDevice(p, (*device).groupInfo),
		"change_members":  withDevice(p, (*device).changeMembers),
		"leave_group":     withDevice(p, (*device).leaveGroup),
		"upload_media":    withDevice(p, (*device).uploadMedia),
		"download_media":  withDevice(p, (*device).downloadMedia),
		"ask_for_media":   withDevice(p, (*device).askForMedia),
		"forget_session":  withDevice(p, (*device).forgetSession),
		"disconnect":      withDevice(p, (*device).disconnect),
		"connect":         withDevice(p, (*device).connect),
		"logout":          withDevice(p, (*device).logout),
		"call":            withDevice(p, (*device).call),
		"write_app_state": withDevice(p, (*device).writeAppState),
		"quit":            p.quit,
	}
	err := p.out.serve(in, handlers)
	if dev := p.dev.Load(); dev != nil {
		dev.cli.Disconnect()
	}
	return err
}

func (p *program) start(ctx context.Context, raw json.RawMessage) (any, error) {
	var args startArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, err
	}
	if p.dev.Load() != nil {
		return nil, errors.New("already started")
	}
	dev, err := openDevice(ctx, p.out, args)
	if err != nil {
		return nil, err
	}
	p.dev.Store(dev)
	return nil, dev.begin()
}

func (p *program) info(context.Context, json.RawMessage) (any, error) {
	answer := fields{"client": "whatsmeow", "version": moduleVersion(), "jid": nil, "lid": nil, "connected": false}
	if dev := p.dev.Load(); dev != nil {
		answer["jid"], answer["lid"] = dev.identity()
		answer["connected"] = dev.cli.IsLoggedIn()
	}
	return answer, nil
}

func (p *program) quit(context.Context, json.RawMessage) (any, error) {
	return nil, errQuit
}

// withDevice makes a handler of a method that takes its arguments as a typed structure.
func withDevice[A any](p *program, method func(*device, context.Context, A) (any, error)) handler {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		dev := p.dev.Load()
		if dev == nil {
			return nil, errNotStarted
		}
		var args A
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &args); err != nil {
				return nil, err
			}
		}
		return method(dev, ctx, args)
	}
}
