package webhook

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"golang.org/x/net/dns/dnsmessage"

	"taskapi/app/outbox"
)

func loopback() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

func newTestSender(t *testing.T, open []netip.Prefix, resolver *net.Resolver) *Sender {
	t.Helper()
	s := NewSender("test", open, resolver, time.Now, slog.New(slog.NewTextHandler(io.Discard, nil)))
	t.Cleanup(s.Close)
	return s
}

// receiver runs a receiver until the end of the test.
func receiver(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server
}

func newSecret() []byte {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return secret
}

func message() outbox.WebhookMessage {
	return outbox.WebhookMessage{ID: "msg_5_8124", Body: []byte(`{"type":"task.created"}`)}
}

func TestWhatIsSent(t *testing.T) {
	secret, old := newSecret(), newSecret()
	var got *http.Request
	var body []byte
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	s := newTestSender(t, loopback(), nil)
	for name, c := range map[string]struct {
		until   time.Time
		accepts [][]byte
		refuses [][]byte
	}{
		"after a rotation": {time.Now().Add(time.Hour), [][]byte{secret, old}, [][]byte{newSecret()}},
		"a day later":      {time.Now().Add(-time.Second), [][]byte{secret}, [][]byte{old}},
	} {
		a := s.Send(t.Context(), outbox.Webhook{URL: server.URL + "/x?y=1", Secret: secret, OldSecret: old, OldUntil: c.until}, message())
		if !a.Delivered() || a.Status != 204 || a.Error != "" {
			t.Fatalf("%s: %+v", name, a)
		}
		if got.Method != "POST" || got.URL.String() != "/x?y=1" || !bytes.Equal(body, message().Body) || got.Header.Get("Content-Type") != "application/json" ||
			got.Header.Get("Webhook-Id") != "msg_5_8124" || got.Header.Get("User-Agent") != "taskapi/test" || len(got.Header.Values("Idempotency-Key")) != 0 {
			t.Errorf("%s: %s %s %v %s", name, got.Method, got.URL, got.Header, body)
		}
		for _, one := range c.accepts {
			verifier, err := standardwebhooks.NewWebhook(outbox.SecretText(one))
			if err != nil || verifier.Verify(body, got.Header) != nil {
				t.Errorf("%s: a good secret does not verify: %v", name, err)
			}
			if verifier.Verify(append(body, ' '), got.Header) == nil {
				t.Errorf("%s: another body verifies", name)
			}
		}
		for _, one := range c.refuses {
			if verifier, _ := standardwebhooks.NewWebhookRaw(one); verifier.Verify(body, got.Header) == nil {
				t.Errorf("%s: a secret that is not good verifies", name)
			}
		}
	}
}

func TestWhatReceiversAnswer(t *testing.T) {
	followed := receiver(t, func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
	date := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		status int
		retry  time.Duration // at least
		error  string
	}{
		"200": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("thanks")) }, 200, 0, ""},
		"302": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, followed.URL, http.StatusFound) }, 302, 0, "answered 302 Found"},
		"307": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, followed.URL, http.StatusTemporaryRedirect)
		}, 307, 0, "answered 307 Temporary Redirect"},
		"410": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }, 410, 0, "answered 410 Gone"},
		"429 with seconds": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "77")
			w.WriteHeader(429)
		}, 429, 77 * time.Second, "answered 429 Too Many Requests"},
		"503 with a date": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", date)
			w.WriteHeader(503)
		}, 503, 59 * time.Minute, "answered 503 Service Unavailable"},
		"429 with much too much": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "9999999999999999999")
			w.WriteHeader(429)
		}, 429, 0, "answered 429 Too Many Requests"},
		"599": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(599) }, 599, 0, "answered 599"},
		"closes": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_ = conn.Close()
		}, 0, 0, "the connection was closed without an answer"},
		"speaks no HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = conn.Write([]byte("SSH-2.0-OpenSSH_9.9\r\n"))
			_ = conn.Close()
		}, 0, 0, `malformed HTTP response "SSH-2.0-OpenSSH_9.9"`},
		"endless headers": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("a", 200<<10))
		}, 0, 0, "net/http: server response headers exceeded 65536 bytes; aborted"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSender(t, loopback(), nil)
			a := s.Send(t.Context(), outbox.Webhook{URL: receiver(t, c.answer).URL, Secret: newSecret()}, message())
			if a.Status != c.status || a.RetryAfter < c.retry || a.Error != c.error || a.Delivered() != (c.error == "") {
				t.Errorf("%+v", a)
			}
		})
	}
}

func TestAReceiverThatNeverAnswers(t *testing.T) {
	ended := make(chan struct{})
	server := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the server sees the client leave
		<-r.Context().Done()
		close(ended)
	})
	s := newTestSender(t, loopback(), nil)
	s.Patience = 50 * time.Millisecond
	if a := s.Send(t.Context(), outbox.Webhook{URL: server.URL, Secret: newSecret()}, message()); a.Status != 0 || !strings.HasPrefix(a.Error, "no answer within") {
		t.Errorf("%+v", a)
	}
	<-ended
}

// Of a gibibyte, no more is taken than fits the buffers in between.
func TestAnEndlessAnswerIsNotRead(t *testing.T) {
	sent := make(chan int64, 1)
	server := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		n := int64(0)
		defer func() { sent <- n }()
		for block := make([]byte, 1<<16); n < 1<<30; {
			k, err := w.Write(block)
			if n += int64(k); err != nil {
				return
			}
		}
	})
	s := newTestSender(t, loopback(), nil)
	if a := s.Send(t.Context(), outbox.Webhook{URL: server.URL, Secret: newSecret()}, message()); !a.Delivered() {
		t.Errorf("%+v", a)
	}
	if n := <-sent; n > 64<<20 {
		t.Errorf("%d MiB were taken", n>>20)
	}
}

func TestAnAnswerInDripsIsAnAnswer(t *testing.T) {
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		for range 1000 {
			_, _ = w.Write([]byte("."))
			if http.NewResponseController(w).Flush() != nil || r.Context().Err() != nil {
				return
			}
			time.Sleep(10 * time.Millisecond) // it is the receiver that is slow
		}
	})
	s := newTestSender(t, loopback(), nil)
	if a := s.Send(t.Context(), outbox.Webhook{URL: server.URL, Secret: newSecret()}, message()); !a.Delivered() {
		t.Errorf("%+v", a)
	}
}

func TestAddressesThatAreNotDialled(t *testing.T) {
	server := receiver(t, func(http.ResponseWriter, *http.Request) { t.Error("it was dialled") })
	port := strconv.Itoa(server.Listener.Addr().(*net.TCPAddr).Port)
	s := newTestSender(t, nil, nil)
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "[::]"} {
		if a := s.Send(t.Context(), outbox.Webhook{URL: "http://" + host + ":" + port, Secret: newSecret()}, message()); a.Status != 0 || a.Error != "the address may not be dialled" {
			t.Errorf("%s: %+v", host, a)
		}
	}
	// Names that C libraries take for addresses are names here, and lead nowhere.
	for _, host := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1"} {
		if a := s.Send(t.Context(), outbox.Webhook{URL: "http://" + host + ":" + port, Secret: newSecret()}, message()); a.Status != 0 || a.Error == "" {
			t.Errorf("%s: %+v", host, a)
		}
	}
	t.Setenv("HTTP_PROXY", server.URL)
	t.Setenv("http_proxy", server.URL)
	if a := newTestSender(t, nil, nameServer(t, [4]byte{127, 0, 0, 1})).Send(t.Context(), outbox.Webhook{URL: "http://hooks.example/", Secret: newSecret()}, message()); a.Status != 0 {
		t.Errorf("by a proxy: %+v", a)
	}
}

// nameServer returns a resolver whose answers to each question are the addresses, one after the
// other, the last one again and again.
func nameServer(t *testing.T, addresses ...[4]byte) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-done })
	var asked atomic.Int64
	go func() {
		defer close(done)
		for buffer := make([]byte, 1500); ; {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			answer := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
			if q.Type == dnsmessage.TypeA {
				i := min(int(asked.Add(1))-1, len(addresses)-1)
				answer.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0}, Body: &dnsmessage.AResource{A: addresses[i]},
				}}
			}
			if raw, err := answer.Pack(); err == nil {
				_, _ = conn.WriteTo(raw, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// A name that leads to the internet when it is looked at and to this machine when it is dialled
// gains nothing: it is the dialled address that counts.
func TestANameThatLeadsElsewhereTheSecondTime(t *testing.T) {
	var reached atomic.Int64
	server := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		w.Header().Set("Connection", "close")
	})
	port := strconv.Itoa(server.Listener.Addr().(*net.TCPAddr).Port)
	// 127.0.0.1 is open here in the place of the internet, the rest is not.
	s := newTestSender(t, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, nameServer(t, [4]byte{127, 0, 0, 1}, [4]byte{127, 0, 0, 2}))
	hook := outbox.Webhook{URL: "http://hooks.example:" + port, Secret: newSecret()}
	if a := s.Send(t.Context(), hook, message()); !a.Delivered() {
		t.Fatalf("%+v", a)
	}
	if a := s.Send(t.Context(), hook, message()); a.Status != 0 || a.Error != "the address may not be dialled" || reached.Load() != 1 {
		t.Errorf("%+v, reached %d times", a, reached.Load())
	}
}

func TestWhatCanNotBeSent(t *testing.T) {
	s := newTestSender(t, loopback(), nil)
	for url, want := range map[string]string{
		"http://127.0.0.1:1/": "connection refused", "http://nowhere.invalid/": "the name can't be resolved", "://": "the url can't be used", "ftp://127.0.0.1/": "unsupported protocol scheme",
	} {
		if a := s.Send(t.Context(), outbox.Webhook{URL: url, Secret: newSecret()}, message()); a.Status != 0 || !strings.Contains(a.Error, want) {
			t.Errorf("%s: %+v", url, a)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a := s.Send(ctx, outbox.Webhook{URL: "http://127.0.0.1:1/", Secret: newSecret()}, message()); a.Delivered() || a.Error != "interrupted" {
		t.Errorf("%+v", a)
	}
	broken := &Sender{Now: s.Now, Log: s.Log, Patience: s.Patience}
	if a := broken.Send(t.Context(), outbox.Webhook{URL: "http://127.0.0.1:1/", Secret: newSecret()}, message()); a.Error != "a fault of this server" {
		t.Errorf("a panic: %+v", a)
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was told") }))
	t.Cleanup(server.Close)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s := newTestSender(t, loopback(), nil)
	if a := s.Send(t.Context(), outbox.Webhook{URL: server.URL, Secret: newSecret()}, message()); a.Status != 0 || !strings.HasPrefix(a.Error, "TLS: ") {
		t.Errorf("%+v", a)
	}
}
