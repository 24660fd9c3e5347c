package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// maxLine bounds a command; texts of a mebibyte must pass.
const maxLine = 8 << 20

type fields map[string]any

type handler func(ctx context.Context, args json.RawMessage) (any, error)

// errQuit ends the program after the command has been answered.
var errQuit = errors.New("quit")

// lines writes answers and events, one JSON object per line.
type lines struct {
	mu  sync.Mutex
	enc *json.Encoder
}

func newLines(w io.Writer) *lines {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &lines{enc: enc}
}

func (l *lines) write(v fields) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// The reader has gone when this fails; the end of standard input ends the program then.
	_ = l.enc.Encode(v)
}

func (l *lines) event(name string, f fields) {
	f["event"] = name
	l.write(f)
}

// serve reads commands until the input ends or a handler asks to quit. Handlers run side by side: a slow command
// must not hold up the next one.
func (l *lines) serve(in io.Reader, handlers map[string]handler) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	quit := make(chan struct{}, 1)
	commands := make(chan command)
	failed := make(chan error, 1)
	go func() { failed <- readCommands(in, commands) }()
	for {
		select {
		case err := <-failed:
			return err
		case <-quit:
			return nil
		case cmd := <-commands:
			go func() {
				if l.answer(ctx, handlers, cmd) {
					quit <- struct{}{}
				}
			}()
		}
	}
}

type command struct {
	ID   json.RawMessage `json:"id"`
	Cmd  string          `json:"cmd"`
	Args json.RawMessage `json:"args"`
}

func readCommands(in io.Reader, out chan<- command) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		if len(scanner.Bytes()) == 0 {
			continue
		}
		var cmd command
		if err := json.Unmarshal(scanner.Bytes(), &cmd); err != nil {
			return fmt.Errorf("failed to read a command: %w", err)
		}
		out <- cmd
	}
	return scanner.Err()
}

func (l *lines) answer(ctx context.Context, handlers map[string]handler, cmd command) (quit bool) {
	handle, known := handlers[cmd.Cmd]
	if !known {
		l.write(fields{"id": cmd.ID, "error": "unknown command " + cmd.Cmd})
		return false
	}
	ok, err := handle(ctx, cmd.Args)
	switch {
	case errors.Is(err, errQuit):
		l.write(fields{"id": cmd.ID, "ok": fields{}})
		return true
	case err != nil:
		l.write(fields{"id": cmd.ID, "error": err.Error()})
	case ok == nil:
		l.write(fields{"id": cmd.ID, "ok": fields{}})
	default:
		l.write(fields{"id": cmd.ID, "ok": ok})
	}
	return false
}
