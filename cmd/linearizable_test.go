package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// witness sends requests from many clients to a server that stops and starts again, and
// records what was asked and answered.
type witness struct {
	t       *testing.T
	http    *http.Client
	token   string
	lineage string
	server  atomic.Pointer[process]
	// down is held by who ends the server, until it is there again.
	down  sync.RWMutex
	began time.Time
	names atomic.Int64

	// due gets an element after each that many answers.
	due   chan struct{}
	every int

	mu      sync.Mutex
	history []porcupine.Operation
	keyed   []taskIn
}

// name returns a name that nothing else has.
func (w *witness) name(of string) string { return fmt.Sprint(of, w.names.Add(1)) }

// ask sends a request until it is answered, and records it. What can't be sent again is asked once.
func (w *witness) ask(client int, random *rand.Rand, in taskIn) taskOut {
	return asked(w, client, random, in, in.key != "" || in.do == "read", in.do == "read", func(ctx context.Context) (taskOut, bool, error) {
		out, err := w.send(ctx, in)
		return out, out.status >= 500, err
	}, taskOut{lost: true})
}

// asked sends a request, again and again if it can be sent again, until it is answered, and
// records it, also as lost unless it only looks. Send says whether the server failed.
func asked[Out any](w *witness, client int, random *rand.Rand, in any, again, looks bool, send func(context.Context) (Out, bool, error), lost Out) Out {
	for {
		ctx, cancel := context.WithCancel(w.t.Context())
		if again && random.IntN(6) == 0 { // who does not wait for the answer, and asks again
			timer := time.AfterFunc(time.Duration(random.IntN(3000))*time.Microsecond, cancel)
			defer timer.Stop()
		}
		began := time.Since(w.began)
		out, failed, err := send(ctx)
		cancel()
		answered := int64(time.Since(w.began))
		if failed = failed || err != nil; failed {
			out, answered = lost, math.MaxInt64
		}
		if !arrivedNever(err) && (!failed || !looks) {
			w.record(porcupine.Operation{ClientId: client, Input: in, Output: out, Call: int64(began), Return: answered})
		}
		if !failed || !again || w.t.Context().Err() != nil {
			return out
		}
		w.wait()
	}
}

// arrivedNever reports whether a request certainly did not reach the server.
func arrivedNever(err error) bool {
	var dial *net.OpError
	return errors.As(err, &dial) && dial.Op == "dial"
}

// wait waits until the server is there again, if it has ended.
func (w *witness) wait() {
	w.down.RLock()
	defer w.down.RUnlock()
}

// restart ends the server, at once or in order, and starts it again.
func (w *witness) restart(kill bool) {
	w.down.Lock()
	defer w.down.Unlock()
	if p := w.server.Load(); kill {
		p.kill()
	} else if code := p.stop(syscall.SIGTERM); code != 0 {
		w.t.Errorf("the server ended with %d", code)
	}
	w.server.Store(start(w.t, nil, "--rate-limit=off"))
}

func (w *witness) record(operation porcupine.Operation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history = append(w.history, operation)
	if len(w.history)%w.every == 0 {
		w.due <- struct{}{}
	}
}

// request makes the HTTP request of what is asked.
func (w *witness) request(ctx context.Context, in taskIn) (*http.Request, error) {
	path := "/tasks/" + in.uid
	method, body := http.MethodPatch, map[string]string{in.do: in.text}
	switch in.do {
	case "create":
		method, path, body = http.MethodPost, "/tasks/", map[string]string{"uid": in.uid, "title": in.text}
	case "delete":
		method, body = http.MethodDelete, nil
	case "restore":
		method, path, body = http.MethodPost, path+"/restore", nil
	case "read":
		method, body = http.MethodGet, nil
	}
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	s := w.server.Load()
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(string(text)))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+w.token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if in.match != 0 {
		request.Header.Set("If-Match", fmt.Sprintf(`"%s-%d"`, w.lineage, in.match))
	}
	if in.key != "" {
		// In small letters net/http does not know it, and never sends again by itself.
		request.Header["idempotency-key"] = []string{in.key}
	}
	return request, nil
}

// send sends a request once, and reads its answer.
func (w *witness) send(ctx context.Context, in taskIn) (out taskOut, err error) {
	request, err := w.request(ctx, in)
	if err != nil {
		return out, err
	}
	response, err := w.http.Do(request)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return out, err
	}
	type task struct {
		ID, Version        int64
		Title, Description string
	}
	var body struct {
		task
		Task, Current *task
		Code          string
	}
	if err := json.Unmarshal(text, &body); err != nil {
		return out, fmt.Errorf("%w: %s", err, text)
	}
	out = taskOut{status: response.StatusCode, code: body.Code, replayed: response.Header.Get("Idempotency-Replayed") == "true"}
	shown := body.task
	for _, one := range []*task{body.Task, body.Current} {
		if one != nil {
			shown = *one
		}
	}
	if out.code != "in_trash" && out.code != "not_in_trash" {
		out.shown = taskSeen{shown.ID, shown.Version, shown.Title, shown.Description}
	}
	etag := response.Header.Get("ETag")
	if out.shown.id != 0 && etag != fmt.Sprintf(`"%s-%d"`, w.lineage, out.shown.version) {
		w.t.Errorf("the tag %s of %s", etag, text)
	}
	return out, nil
}

// few is how many tasks clients change at one time.
const few = 4

// client asks for so many things of some tasks.
func (w *witness) client(number, requests int, uids []string) {
	random := rand.New(rand.NewPCG(uint64(number), 5))
	known := map[string]int64{}
	for n := range requests {
		// All clients go on from some tasks to the next at about the same time.
		uid := uids[n*(len(uids)-few)/requests+random.IntN(few)]
		in := taskIn{uid: uid, do: []string{"create", "title", "title", "description", "description", "delete", "restore", "restore", "read", "read"}[random.IntN(10)]}
		switch in.do {
		case "create", "title", "description":
			in.text = w.name("text ")
		}
		if changes := in.do == "title" || in.do == "description" || in.do == "delete"; changes && random.IntN(2) == 0 {
			in.match = known[in.uid]
		}
		if in.do != "read" && random.IntN(4) > 0 {
			in.key = w.name("key-")
		}
		w.mu.Lock()
		if len(w.keyed) > 0 && random.IntN(4) == 0 { // what somebody asks for at this time, or asked for long ago
			in = w.keyed[max(0, len(w.keyed)-1-random.IntN([]int{8, len(w.keyed)}[random.IntN(2)]))]
		} else if in.key != "" {
			w.keyed = append(w.keyed, in)
		}
		w.mu.Unlock()
		if out := w.ask(number, random, in); out.shown.version != 0 {
			known[in.uid] = out.shown.version
		}
	}
}

// judge holds the history against the model, and looks that it was worth it.
func (w *witness) judge() {
	seen := map[string]int{}
	for _, operation := range w.history {
		out := operation.Output.(taskOut)
		seen[fmt.Sprint(out.status)]++
		if out.replayed {
			seen["replayed"]++
		}
		if out.lost {
			seen["lost"]++
		}
	}
	for _, what := range []string{"200", "201", "404", "409", "412", "replayed", "lost"} {
		if seen[what] == 0 {
			w.t.Errorf("never seen: %s", what)
		}
	}
	w.t.Log(len(w.history), "requests:", seen)
	w.hold(taskModel(), func(in any) string { return in.(taskIn).uid })
}

// hold holds each part of the history against the model, and shows where it stops to be possible.
func (w *witness) hold(model porcupine.Model, name func(in any) string) {
	for _, part := range model.Partition(w.history) {
		result, info := porcupine.CheckOperationsVerbose(model, part, time.Minute)
		if result == porcupine.Ok {
			continue
		}
		longest := slices.MaxFunc(info.PartialLinearizationsOperations()[0], func(a, b []porcupine.Operation) int { return len(a) - len(b) })
		w.t.Errorf("%s: %s: after %d of %d requests none that was open can come next:", name(part[0].Input), result, len(longest), len(part))
		for _, operation := range longest[max(0, len(longest)-3):] {
			w.t.Logf("it came: %d %s", operation.ClientId, model.DescribeOperation(operation.Input, operation.Output))
		}
		for _, operation := range part {
			if !slices.ContainsFunc(longest, func(o porcupine.Operation) bool { return o == operation }) {
				w.t.Logf("did not: %d %s", operation.ClientId, model.DescribeOperation(operation.Input, operation.Output))
				break
			}
		}
	}
}

// Whatever clients ask at once, what they are answered is as if they had asked one after
// the other, each at some moment between question and answer: also if they do not wait for
// an answer and ask again with the same key, and if the server is killed or stopped meanwhile,
// and goes on with what is on the disk.
func TestRequestsAreLinearizable(t *testing.T) {
	const clients, requests, lives = 8, 200, 5
	folder(t)
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	w := &witness{t: t, http: &http.Client{Transport: transport}, began: time.Now(), due: make(chan struct{}, 2*lives), every: clients * requests / lives}
	w.server.Store(start(t, nil, "--rate-limit=off"))
	w.token = w.server.Load().signUp()["access_token"].(string)
	w.lineage = w.lineageNow()
	uids := make([]string, 40)
	for i := range uids {
		uids[i] = fmt.Sprintf("0197a0c0-0000-7000-8000-0000000000%02x", i)
	}
	var all sync.WaitGroup
	for number := range clients {
		all.Go(func() { w.client(number, requests, uids) })
	}
	for life := range lives - 1 {
		<-w.due
		w.restart(life%2 == 0)
	}
	all.Wait()
	w.judge()
}

// lineageNow is the first part of every entity tag.
func (w *witness) lineageNow() string {
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.server.Load().url+"/tasks/", strings.NewReader(`{"title":"another one"}`))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+w.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := w.http.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	lineage, _, _ := strings.Cut(strings.Trim(response.Header.Get("ETag"), `"`), "-")
	if err := response.Body.Close(); err != nil || lineage == "" {
		w.t.Fatal(lineage, err)
	}
	return lineage
}
