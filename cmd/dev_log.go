package cmd

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// devLines is a log that a person reads while it comes, one line a request.
type devLines struct {
	out     io.Writer
	mu      *sync.Mutex
	level   slog.Level
	colours bool
	names   map[int64]string
	attrs   []slog.Attr
}

// lines returns a log for people.
func (r *rehearsal) lines(out io.Writer, level slog.Level, colours bool) slog.Handler {
	names := map[int64]string{}
	for _, p := range r.people {
		names[p.ID] = p.Username
	}
	return &devLines{out: out, mu: &sync.Mutex{}, level: level, colours: colours, names: names}
}

// Enabled reports whether a level is shown.
func (l *devLines) Enabled(_ context.Context, level slog.Level) bool { return level >= l.level }

// WithAttrs returns a log whose lines have these attributes.
func (l *devLines) WithAttrs(attrs []slog.Attr) slog.Handler {
	clone := *l
	clone.attrs = append(append([]slog.Attr(nil), l.attrs...), attrs...)
	return &clone
}

// WithGroup returns the same log: it has no groups.
func (l *devLines) WithGroup(string) slog.Handler { return l }

// Handle writes a line.
func (l *devLines) Handle(_ context.Context, r slog.Record) error {
	values, rest := map[string]slog.Value{}, strings.Builder{}
	attrs := l.attrs
	r.Attrs(func(a slog.Attr) bool { attrs = append(attrs[:len(attrs):len(attrs)], a); return true })
	for _, a := range attrs {
		values[a.Key] = a.Value
		fmt.Fprintf(&rest, "  %s=%s", a.Key, a.Value)
	}
	line := r.Time.Format("15:04:05") + "  "
	if _, answered := values["status"]; answered && r.Message == "request" {
		line += l.request(values)
	} else {
		line += l.paint(levelColour(r.Level), strings.ToLower(r.Level.String())) + "  " + r.Message + oneLine(rest.String())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := io.WriteString(l.out, line+"\n")
	return err
}

// request is what is said of a request.
func (l *devLines) request(values map[string]slog.Value) string {
	path := ""
	if value, ok := values["path"]; ok {
		path = oneLine(value.String())
	}
	status := values["status"].Int64()
	who := ""
	if id := values["user_id"].Int64(); id != 0 {
		if who = l.names[id]; who == "" {
			who = fmt.Sprint("user ", id)
		}
	}
	fault := ""
	if value, ok := values["fault"]; ok {
		fault = value.String()
	}
	answer := l.paint(statusColour(status), fmt.Sprint(status))
	if strings.HasSuffix(fault, "drop before") {
		answer = "---" // there was none
	}
	line := fmt.Sprintf("%-6s %-36s %s %7.1f ms  %s", values["method"], path, answer, values["duration_ms"].Float64(), who)
	if fault != "" {
		line += "  " + l.paint(magenta, "["+fault+"]")
	}
	return strings.TrimRight(line, " ")
}

// The colours of a terminal (ECMA-48, SGR).
const (
	red     = 31
	green   = 32
	yellow  = 33
	magenta = 35
	cyan    = 36
)

func statusColour(status int64) int {
	switch {
	case status >= 500:
		return red
	case status >= 400:
		return yellow
	case status >= 300:
		return cyan
	}
	return green
}

func levelColour(level slog.Level) int {
	switch {
	case level >= slog.LevelError:
		return red
	case level >= slog.LevelWarn:
		return yellow
	}
	return cyan
}

func (l *devLines) paint(colour int, text string) string {
	if !l.colours {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}

// oneLine keeps a text from ending its line, and from painting.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}
