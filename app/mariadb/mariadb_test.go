package mariadb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// That the tables of a real server are read is what .ci/mariadb shows.

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ text, user, password, network, addr, name, tls string }{
		{"mysql://user:pass@host/db", "user", "pass", "tcp", "host:3306", "db", "preferred"},
		{"mariadb://user@host:3307/db?charset=utf8mb4", "user", "", "tcp", "host:3307", "db", "preferred"},
		{"mysql+pymysql://us%40er:p%40s%3As%2F@[::1]:3306/flask_api_db", "us@er", "p@s:s/", "tcp", "[::1]:3306", "flask_api_db", "preferred"},
		{"mariadb+mariadbconnector://u:p@h/db?tls=true", "u", "p", "tcp", "h:3306", "db", "true"},
		{"mysql:///db?unix_socket=/run/mysqld/mysqld.sock", "", "", "unix", "/run/mysqld/mysqld.sock", "db", "false"},
	} {
		a, err := ParseAddress(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got := a.config
		if got.User != c.user || got.Passwd != c.password || got.Net != c.network || got.Addr != c.addr || got.DBName != c.name || got.TLSConfig != c.tls {
			t.Errorf("%s: %+v", c.text, got)
		}
		if a.HasPassword() != (c.password != "") || !a.WithPassword("other").HasPassword() || a.config.Passwd != c.password || a.User() != c.user {
			t.Errorf("%s: the password is another", c.text)
		}
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"mysql://user:secret@host":              "names no database",
		"mysql://user:secret@host/":             "names no database",
		"mysql://user:secret@host/a/b":          "names no database",
		"postgres://user:secret@host/db":        "postgres:// are not known",
		"mysql://user:sec%ret@host/db":          "can't be read",
		"mysql://user:secret@host:port/db":      "can't be read",
		"mysql://user:secret@host/db?tls=no":    `parameter "tls"`,
		"mysql://user:secret@host/db?ssl_ca=/x": `parameter "ssl_ca"`,
	} {
		_, err := ParseAddress(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sec") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, want := range map[string]bool{"mysql://h/d": true, "x://": true, "file.json": false, "://": false, "C:/users.csv": false} {
		if IsAddress(text) != want {
			t.Errorf("%s: not %t", text, want)
		}
	}
}

func TestRefusalsAreSentences(t *testing.T) {
	config := mysql.NewConfig()
	config.Addr, config.User, config.DBName = "host:3306", "ann", "tasks"
	for number, want := range map[uint16]string{
		1044: `the user "ann" may not read the database "tasks"`, 1045: "check the user and the password", 1698: "check the user and the password",
		1049: `has no database "tasks"`, 1040: "host:3306 refuses",
	} {
		err := &mysql.MySQLError{Number: number, Message: "what the server says"}
		if got := describe(err, config); !strings.Contains(got.Error(), want) || !errors.Is(got, err) {
			t.Errorf("%d: %v", number, got)
		}
	}
}

func TestACertificateThatCannotBeTrusted(t *testing.T) {
	config := mysql.NewConfig()
	config.Addr = "host:3306"
	err := fmt.Errorf("tls: %w", &tls.CertificateVerificationError{Err: errors.New("who is that")})
	if got := describe(err, config); !strings.Contains(got.Error(), "leave out tls=true") || !errors.Is(got, err) {
		t.Error(got)
	}
}

// server listens, and does with each connection what serve does.
func server(t *testing.T, serve func(net.Conn)) Address {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serve(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	a, err := ParseAddress("mysql://user:secret@" + listener.Addr().String() + "/db")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestServersThatAreNone(t *testing.T) {
	for name, greeting := range map[string]string{
		"closes at once": "", "speaks SSH": "SSH-2.0-OpenSSH_9.2\r\n", "an empty packet": "\x00\x00\x00\x00", "half a packet": "\x40\x00\x00\x00\x0a5.5",
	} {
		t.Run(name, func(t *testing.T) {
			a := server(t, func(conn net.Conn) { _, _ = conn.Write([]byte(greeting)) })
			_, err := Open(t.Context(), a)
			if err == nil || !strings.Contains(err.Error(), "check host and port") || strings.Contains(err.Error(), "secret") {
				t.Error(err)
			}
		})
	}
}

func TestASilentServerIsLeftWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	held := make(chan struct{})
	a := server(t, func(net.Conn) { cancel(); <-held })
	defer close(held)
	if _, err := Open(ctx, a); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
