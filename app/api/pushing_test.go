package api_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"taskapi/app/outbox"
	"taskapi/app/push"
)

// pushService is one that takes messages for browsers, and one browser of it.
type pushService struct {
	t        *testing.T
	server   *httptest.Server
	key      *ecdh.PrivateKey
	auth     []byte
	received chan pushed
	// answer answers a request; nil is 201.
	answer func(http.ResponseWriter, *http.Request)
}

// pushed is what the service received.
type pushed struct {
	path, text string
	header     http.Header
}

func newPushService(t *testing.T) *pushService {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	must(t, err)
	p := &pushService{t: t, key: key, auth: []byte("sixteen bytes ok"), received: make(chan pushed, 100)}
	p.server = httptest.NewTLSServer(p)
	t.Cleanup(p.server.Close)
	return p
}

func (p *pushService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Error(err)
	}
	text, err := p.decrypt(body)
	if err != nil {
		p.t.Errorf("what was sent can't be read: %v", err)
	}
	p.received <- pushed{r.URL.Path, text, r.Header}
	if p.answer != nil {
		p.answer(w, r)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

// decrypt reads a message as a browser does (RFC 8188, RFC 8291).
func (p *pushService) decrypt(body []byte) (string, error) {
	if len(body) < 86 || body[20] != 65 {
		return "", fmt.Errorf("%d bytes", len(body))
	}
	salt, size, theirs, sealed := body[:16], binary.BigEndian.Uint32(body[16:20]), body[21:86], body[86:]
	if len(body) > 4096 || int(size) < len(sealed) {
		return "", fmt.Errorf("%d bytes in records of %d", len(body), size)
	}
	sender, err := ecdh.P256().NewPublicKey(theirs)
	if err != nil {
		return "", err
	}
	secret, err := p.key.ECDH(sender)
	if err != nil {
		return "", err
	}
	ikm, err := hkdf.Key(sha256.New, secret, p.auth, "WebPush: info\x00"+string(p.key.PublicKey().Bytes())+string(theirs), 32)
	if err != nil {
		return "", err
	}
	key, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return "", err
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return "", err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return "", err
	}
	plain, err := gcm.Open(nil, nonce, sealed, nil)
	if err != nil {
		return "", err
	}
	text, ok := strings.CutSuffix(strings.TrimRight(string(plain), "\x00"), "\x02")
	if !ok {
		return "", fmt.Errorf("no end of the last record in %q", plain)
	}
	return text, nil
}

// next returns what the service receives next.
func (p *pushService) next() pushed {
	p.t.Helper()
	select {
	case got := <-p.received:
		return got
	case <-time.After(time.Minute):
		p.t.Fatal("nothing was pushed")
		return pushed{}
	}
}

// browser is the body that subscribes the service's browser.
func (p *pushService) browser(path string) string {
	return fmt.Sprintf(`{"endpoint":"https://example.com/%s","keys":{"p256dh":%q,"auth":%q}}`, path,
		base64.RawURLEncoding.EncodeToString(p.key.PublicKey().Bytes()), base64.RawURLEncoding.EncodeToString(p.auth))
}

// queue tells how each push ended.
type queue struct {
	outbox.PushQueue
	ended chan string
}

func (q queue) PushDone(ctx context.Context, id, seq int64, now time.Time) error {
	err := q.PushQueue.PushDone(ctx, id, seq, now)
	q.ended <- fmt.Sprint("done ", err)
	return err
}

func (q queue) PushFailed(ctx context.Context, id int64, next time.Time) error {
	err := q.PushQueue.PushFailed(ctx, id, next)
	q.ended <- fmt.Sprint("failed ", err)
	return err
}

func (q queue) PushGone(ctx context.Context, id int64) error {
	err := q.PushQueue.PushGone(ctx, id)
	q.ended <- fmt.Sprint("gone ", err)
	return err
}

// pushing is a server with a sender and a push service, and ann, whose browser it is.
type pushing struct {
	*server
	service *pushService
	sender  *push.Sender
	key     push.Key
	ended   chan string
	ann     person
}

func startPushing(t *testing.T) *pushing {
	t.Helper()
	p := &pushing{server: start(t), service: newPushService(t), ended: make(chan string, 100)}
	private, err := push.NewKey(rand.Reader)
	must(t, err)
	p.key, err = push.ReadKey(private)
	must(t, err)
	client := p.service.server.Client() // whose certificate is one of example.com
	transport := client.Transport.(*http.Transport)
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, p.service.server.Listener.Addr().String())
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p.sender = push.NewSender(queue{p.db, p.ended}, client, p.key, "tasks@example.com", p.clock.Now, slog.New(slog.NewTextHandler(p.log, nil)))
	p.sender.After = func(time.Duration) <-chan time.Time { return nil } // it is woken
	p.ann = p.signUp("ann")
	if a := p.call("POST", "/push/subscriptions", p.ann.access, p.service.browser("1")); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	return p
}

// due makes a task that is due now, fires its reminder and wakes the sender.
func (p *pushing) due(body string) int64 {
	p.t.Helper()
	id := p.made(p.ann, `{%s,"reminders":[{"at":%q}]}`, body, p.clock.Now().UTC().Format(time.RFC3339)).id("task.id")
	p.fire()
	p.sender.Wake()
	return id
}

// end waits for the next push to end.
func (p *pushing) end(want string) {
	p.t.Helper()
	select {
	case got := <-p.ended:
		if got != want+" <nil>" {
			p.t.Fatalf("a push ended with %s, want %s\n%s", got, want, p.log)
		}
	case <-time.After(time.Minute):
		p.t.Fatalf("no push ended\n%s", p.log)
	}
}

func TestABrowserIsToldOfReminders(t *testing.T) {
	p := startPushing(t)
	run(t, p.sender.Run)
	id := p.due(`"title":"Buy <milk> & 🥛","due":"2027-03-10T12:00","due_zone":"Europe/Berlin","uid":"0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f"`)
	got := p.service.next()
	p.end("done")
	var message map[string]any
	must(t, json.Unmarshal([]byte(got.text), &message))
	want := map[string]any{"id": float64(id), "uid": "0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f", "title": "Buy <milk> & 🥛", "due": "2027-03-10T12:00", "due_at": "2027-03-10T11:00:00Z"}
	if message["type"] != "reminder" || fmt.Sprint(message["task"]) != fmt.Sprint(want) || message["seq"].(float64) < 1 || len(message) != 3 {
		t.Errorf("%s", got.text)
	}
	for name, value := range map[string]string{"Ttl": "86400", "Topic": fmt.Sprint("task-", id), "Content-Encoding": "aes128gcm", "Urgency": "high"} {
		if got.header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.header.Get(name), value)
		}
	}
	p.checkSignature(got.header.Get("Authorization"))
	p.due(`"title":"no due"`)
	if text := p.service.next().text; !strings.Contains(text, `"due":null,"due_at":null`) || !strings.Contains(text, `"uid":"`) {
		t.Errorf("%s", text)
	}
	p.end("done")
	if counts := p.sender.Counts(); counts != (push.Counts{push.Sent: 2}) {
		t.Errorf("%v", counts)
	}
	if due, next, err := p.db.DuePushes(t.Context(), p.clock.Now(), 10); len(due) != 0 || !next.IsZero() || err != nil {
		t.Errorf("left: %v %v %v", due, next, err)
	}
}

// checkSignature checks what says who sends (RFC 8292).
func (p *pushing) checkSignature(header string) {
	p.t.Helper()
	token, key, found := strings.Cut(strings.TrimPrefix(header, "vapid t="), ", k=")
	if !found || key != p.key.Public() {
		p.t.Fatalf("%q", header)
	}
	raw, err := base64.RawURLEncoding.DecodeString(key)
	must(p.t, err)
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
	must(p.t, err)
	claims := jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return public, nil }, jwt.WithValidMethods([]string{"ES256"}), jwt.WithExpirationRequired())
	if err != nil || claims["aud"] != "https://example.com" || claims["sub"] != "mailto:tasks@example.com" {
		p.t.Errorf("%v %v", claims, err)
	}
}

// What a push service answers decides what becomes of the push.
func TestAnswersOfAPushService(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		end     string
		outcome push.Outcome
	}{
		"not found": {404, "gone", push.Gone}, "gone": {410, "gone", push.Gone},
		"too many": {429, "failed", push.Delayed}, "broken": {503, "failed", push.Delayed}, "elsewhere": {302, "failed", push.Delayed}, "a wrong clock": {403, "failed", push.Delayed},
		"too large": {413, "done", push.GivenUp}, "malformed": {400, "done", push.GivenUp},
	} {
		t.Run(name, func(t *testing.T) {
			p := startPushing(t)
			p.service.answer = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "https://example.com/elsewhere")
				w.WriteHeader(c.status)
			}
			run(t, p.sender.Run)
			p.due(`"title":"t"`)
			p.service.next()
			p.end(c.end)
			if counts := p.sender.Counts(); counts[c.outcome] != 1 {
				t.Errorf("%v", counts)
			}
			if left := p.browsers(p.ann); left == "" != (c.end == "gone") {
				t.Errorf("subscribed: %q", left)
			}
			if log := p.log.String(); strings.Contains(log, "example.com/1") {
				t.Errorf("the endpoint is in the log:\n%s", log)
			}
		})
	}
}

// A push that fails is tried again after 10 s, 1 min, 10 min, 1 h and each hour, for a day. What
// follows waits for it.
func TestAPushIsTriedForADay(t *testing.T) {
	p := startPushing(t)
	p.service.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }
	run(t, p.sender.Run)
	p.clock.freeze()
	p.ann = p.login("ann")
	first := p.due(`"title":"first"`)
	p.made(p.ann, `{"title":"second","reminders":[{"at":%q}]}`, p.clock.Now().Add(23*time.Hour).UTC().Format(time.RFC3339))
	tries := 0
	for total := time.Duration(0); ; tries++ {
		if got := p.service.next(); !strings.Contains(got.text, `"first"`) || got.header.Get("Topic") != fmt.Sprint("task-", first) {
			t.Fatalf("try %d: %s", tries, got.text)
		}
		wait := []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute, time.Hour}[min(tries, 3)]
		if total += wait; total > outbox.PushUntil {
			break
		}
		p.end("failed")
		p.clock.advance(wait - time.Second)
		p.fire()
		if due, _, err := p.db.DuePushes(t.Context(), p.clock.Now(), 10); len(due) != 0 || err != nil {
			t.Fatalf("after try %d, it is due too early: %v", tries, err)
		}
		p.clock.advance(time.Second)
		p.sender.Wake()
	}
	p.end("done")
	if tries != 26 {
		t.Errorf("%d tries", tries)
	}
	if got := p.service.next(); !strings.Contains(got.text, `"second"`) {
		t.Errorf("then %s", got.text)
	}
	p.end("failed")
}

// A service that asks to wait is believed, for an hour at most.
func TestAPushServiceThatAsksToWait(t *testing.T) {
	p := startPushing(t)
	p.clock.freeze()
	p.ann = p.login("ann")
	asked := "1800"
	p.service.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", asked)
		w.WriteHeader(429)
	}
	run(t, p.sender.Run)
	p.due(`"title":"t"`)
	for _, c := range []struct {
		next string
		want time.Duration
	}{{"99999999999999999999", 30 * time.Minute}, {"864000", time.Minute * 1}, {"", time.Hour}} {
		p.service.next()
		p.end("failed")
		_, next, err := p.db.DuePushes(t.Context(), p.clock.Now(), 10)
		must(t, err)
		if got := next.Sub(p.clock.Now()); got != c.want {
			t.Errorf("asked for %s, waits %s, want %s", asked, got, c.want)
		}
		asked = c.next
		p.clock.advance(c.want)
		p.sender.Wake()
	}
	p.service.next()
	p.end("failed")
}

// What has been done, or can't be pushed any more, by the time of a try is left out.
func TestAPushThatIsNotWantedAnyMore(t *testing.T) {
	for name, change := range map[string]func(p *pushing, id int64){
		"completed": func(p *pushing, id int64) { p.changed(p.ann, id, `{"completed":true}`) },
		"deleted":   func(p *pushing, id int64) { p.call("DELETE", fmt.Sprint("/tasks/", id), p.ann.access, "") },
		"another channel": func(p *pushing, _ int64) {
			p.call("PATCH", fmt.Sprint("/users/", p.ann.id), p.ann.access, `{"reminder_channels":["mail"]}`)
		},
		"signed out": func(p *pushing, _ int64) {
			p.call("POST", "/auth/logout", "", fmt.Sprintf(`{"refresh_token":%q}`, p.ann.refresh))
		},
		"switched off": func(p *pushing, _ int64) {
			p.call("DELETE", "/push/subscriptions/1", p.ann.access, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := startPushing(t)
			id := p.due(`"title":"t"`) // nothing sends yet
			change(p, id)
			if name != "signed out" && name != "switched off" { // else nothing can follow
				p.call("PATCH", fmt.Sprint("/users/", p.ann.id), p.ann.access, `{"username":"annie"}`)
			}
			push, found, err := p.db.Push(t.Context(), 1, p.clock.Now())
			if found || err != nil {
				t.Errorf("%+v %v", push, err)
			}
			if due, next, err := p.db.DuePushes(t.Context(), p.clock.Now(), 10); len(due) != 0 || !next.IsZero() || err != nil {
				t.Errorf("left: %v %v %v", due, next, err)
			}
		})
	}
}

// A service that never answers holds up nobody else, nor the end of the server.
func TestAPushServiceThatHangs(t *testing.T) {
	p := startPushing(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	p.service.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/other" {
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return
		}
		w.WriteHeader(201)
	}
	for i := range 5 {
		p.call("POST", "/push/subscriptions", p.ann.access, p.service.browser(fmt.Sprint("more", i)))
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { p.sender.Run(ctx); close(ended) }()
	p.due(`"title":"hangs"`)
	p.service.next()
	p.service.next() // two of one person are under way
	bob := p.signUp("bob")
	p.call("POST", "/push/subscriptions", bob.access, p.service.browser("other"))
	p.ann = bob
	p.due(`"title":"bob's"`)
	if got := p.service.next(); got.path != "/other" {
		t.Errorf("to %s", got.path)
	}
	p.end("done")
	stop()
	<-ended
	if due, _, err := p.db.DuePushes(t.Context(), p.clock.Now(), 10); len(due) != 6 || err != nil {
		t.Errorf("%d are still to be pushed: %v", len(due), err)
	}
}

// A stream tells of what is due, too.
func TestAStreamTellsOfReminders(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	stream := s.listen(ann.access, "")
	stream.want("ready")
	id := s.made(ann, `{"title":"t","reminders":[{"at":%q}]}`, s.clock.Now().UTC().Format(time.RFC3339)).id("task.id")
	stream.want("changes")
	s.fire()
	for e, _ := stream.next(); ; e, _ = stream.next() {
		if e.name == "changes" { // of the task, in two parts
			continue
		}
		var told struct {
			Task struct {
				ID int64 `json:"id"`
			} `json:"task"`
		}
		must(t, json.Unmarshal([]byte(e.data), &told))
		if e.name != "reminder" || told.Task.ID != id {
			t.Errorf("%+v", e)
		}
		break
	}
}
