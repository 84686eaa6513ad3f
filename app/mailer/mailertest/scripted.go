package mailertest

import (
	"bufio"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// Silent accepts connections and says nothing, until the end of the test.
func Silent(t testing.TB) (host string, port int) {
	t.Helper()
	return Scripted(t, "greeting", "")
}

// Scripted plays an agreeable server in clear text up to one step, where it
// gives the answer ("421 busy"), or stalls for an empty one. The steps are
// "greeting", "hello", "starttls", "auth", "sender", "recipient", "data" (the
// answer to the command), "message" (the answer to the text) and "quit". It
// serves the steps that the library behind Start has no hook for.
func Scripted(t testing.TB, step, answer string) (host string, port int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	ended := make(chan struct{})
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer func() { _ = conn.Close() }()
				play(conn, step, answer)
				if answer == "" {
					<-ended
				}
			})
			work.Go(func() { <-ended; _ = conn.Close() })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		close(ended)
		work.Wait()
	})
	return "127.0.0.1", listener.Addr().(*net.TCPAddr).Port
}

// reply is the step of a command, and what an agreeable server says to it.
func reply(verb string) (step, answer string) {
	switch verb {
	case "EHLO":
		return "hello", "250-localhost\r\n250-STARTTLS\r\n250 AUTH PLAIN"
	case "HELO":
		return "hello", "250 localhost"
	case "STARTTLS":
		return "starttls", "220 go ahead"
	case "AUTH":
		return "auth", "235 welcome"
	case "MAIL":
		return "sender", "250 fine"
	case "RCPT":
		return "recipient", "250 fine"
	case "DATA":
		return "data", "354 go ahead"
	case "QUIT":
		return "quit", "221 bye"
	}
	return "", "500 what?"
}

// play is one dialogue. It returns when the client leaves, or at a stall.
func play(conn net.Conn, step, answer string) {
	in := textproto.NewReader(bufio.NewReader(conn))
	say := func(at, usual string) bool {
		if at == step {
			usual = answer
		}
		if usual == "" {
			return false
		}
		_, err := io.WriteString(conn, usual+"\r\n")
		return err == nil
	}
	if !say("greeting", "220 localhost") {
		return
	}
	for {
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		if !say(reply(verb)) {
			return
		}
		if verb != "DATA" || step == "data" {
			continue
		}
		if _, err := in.ReadDotBytes(); err != nil || !say("message", "250 taken") {
			return
		}
	}
}
