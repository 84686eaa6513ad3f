package cmd

import (
	"bytes"
	"testing"
)

func TestProgressIsALineOfATerminal(t *testing.T) {
	var out bytes.Buffer
	a := &application{err: &out, screen: func() bool { return true }}
	p := a.progress("Copying")
	p.end()
	if out.Len() > 0 {
		t.Errorf("what is over at once says: %q", out.String())
	}
	p = &progress{out: &out, what: "Copying"}
	p.line(1)
	p.say("%d users", 2)
	p.line(2)
	p.show(1, 2)
	p.line(3)
	p.end()
	if got, want := out.String(), "\r\033[KCopying.. \r\033[KCopying... 2 users\r\033[KCopying [===============               ]  50 %\r\033[K"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	out.Reset()
	a.screen = func() bool { return false }
	p = a.progress("Copying")
	p.show(1, 2)
	if p.end(); out.Len() > 0 {
		t.Errorf("without a terminal: %q", out.String())
	}
}
