package main

import (
	"fmt"
	"os"
	"slices"

	waLog "go.mau.fi/whatsmeow/util/log"
)

var levels = []string{"trace", "debug", "info", "warn", "error"}

// stderrLog writes whatsmeow's log to standard error; its own logger writes to standard output.
type stderrLog struct {
	module string
	least  int
}

func newLog() waLog.Logger {
	least := slices.Index(levels, os.Getenv("PEER_LOG"))
	if least < 0 {
		least = slices.Index(levels, "warn")
	}
	return stderrLog{module: "whatsmeow", least: least}
}

func (l stderrLog) print(level, format string, args []any) {
	if slices.Index(levels, level) >= l.least {
		fmt.Fprintf(os.Stderr, "%s %s: %s\n", level, l.module, fmt.Sprintf(format, args...))
	}
}

func (l stderrLog) Debugf(format string, args ...any) { l.print("debug", format, args) }
func (l stderrLog) Infof(format string, args ...any)  { l.print("info", format, args) }
func (l stderrLog) Warnf(format string, args ...any)  { l.print("warn", format, args) }
func (l stderrLog) Errorf(format string, args ...any) { l.print("error", format, args) }

func (l stderrLog) Sub(module string) waLog.Logger {
	return stderrLog{module: l.module + "/" + module, least: l.least}
}
