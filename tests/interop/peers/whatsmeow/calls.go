package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/types/events"
)

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

type callArgs struct {
	Method    string            `json:"method"`
	Arguments []json.RawMessage `json:"arguments"`
}

// call runs any method of the client by its name, so that a story need not wait for a command of its own.
func (d *device) call(ctx context.Context, args callArgs) (any, error) {
	method := reflect.ValueOf(d.cli).MethodByName(args.Method)
	if !method.IsValid() {
		return nil, fmt.Errorf("whatsmeow has no method %s", args.Method)
	}
	return callByJSON(ctx, method, args.Arguments)
}

// patchBuilders are the functions that make changes of app state.
var patchBuilders = map[string]any{
	"BuildMute":            appstate.BuildMute,
	"BuildMuteAbs":         appstate.BuildMuteAbs,
	"BuildPin":             appstate.BuildPin,
	"BuildArchive":         appstate.BuildArchive,
	"BuildMarkChatAsRead":  appstate.BuildMarkChatAsRead,
	"BuildLabelChat":       appstate.BuildLabelChat,
	"BuildLabelMessage":    appstate.BuildLabelMessage,
	"BuildLabelEdit":       appstate.BuildLabelEdit,
	"BuildSettingPushName": appstate.BuildSettingPushName,
	"BuildStar":            appstate.BuildStar,
	"BuildDeleteChat":      appstate.BuildDeleteChat,
}

// writeAppState builds a change with one of whatsmeow's own functions and uploads it.
func (d *device) writeAppState(ctx context.Context, args callArgs) (any, error) {
	builder, known := patchBuilders[args.Method]
	if !known {
		return nil, fmt.Errorf("no such builder of app state: %s", args.Method)
	}
	inputs, err := arguments(ctx, reflect.TypeOf(builder), args.Arguments)
	if err != nil {
		return nil, err
	}
	patch, ok := reflect.ValueOf(builder).Call(inputs)[0].Interface().(appstate.PatchInfo)
	if !ok {
		return nil, fmt.Errorf("%s does not make a patch", args.Method)
	}
	return nil, d.cli.SendAppState(ctx, patch)
}

func callByJSON(ctx context.Context, function reflect.Value, raw []json.RawMessage) (any, error) {
	inputs, err := arguments(ctx, function.Type(), raw)
	if err != nil {
		return nil, err
	}
	results := []any{}
	for _, output := range function.Call(inputs) {
		if output.Type() == errorType {
			if failure, failed := output.Interface().(error); failed && failure != nil {
				return nil, failure
			}
			continue
		}
		results = append(results, output.Interface())
	}
	if len(results) == 1 {
		return fields{"result": results[0]}, nil
	}
	return fields{"result": results}, nil
}

// arguments reads each JSON value as the type of its parameter; a context is not among the values.
func arguments(ctx context.Context, function reflect.Type, raw []json.RawMessage) ([]reflect.Value, error) {
	inputs := make([]reflect.Value, 0, function.NumIn())
	for at := range function.NumIn() {
		parameter := function.In(at)
		switch {
		case parameter == contextType:
			inputs = append(inputs, reflect.ValueOf(ctx))
			continue
		case function.IsVariadic() && at == function.NumIn()-1:
			parameter = parameter.Elem()
		case len(raw) == 0:
			return nil, fmt.Errorf("an argument of type %s is missing", parameter)
		}
		for len(raw) > 0 {
			value := reflect.New(parameter)
			if err := json.Unmarshal(raw[0], value.Interface()); err != nil {
				return nil, err
			}
			inputs, raw = append(inputs, value.Elem()), raw[1:]
			if !function.IsVariadic() || at < function.NumIn()-1 {
				break
			}
		}
	}
	if len(raw) > 0 {
		return nil, fmt.Errorf("%d arguments too many", len(raw))
	}
	return inputs, nil
}

// tell passes an event on as whatsmeow has it; those with a form of their own in the protocol are left out.
func (d *device) tell(event any) {
	switch event.(type) {
	case *events.Message, *events.HistorySync, *events.Receipt, *events.QR:
		return
	}
	value, err := json.Marshal(event)
	if err != nil {
		// Channels and functions inside: nothing that a story could look at.
		return
	}
	name := strings.TrimPrefix(reflect.TypeOf(event).String(), "*events.")
	d.out.event("told", fields{"type": name, "value": json.RawMessage(value)})
}
