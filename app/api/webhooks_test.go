package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"taskapi/app"
	"taskapi/app/outbox"
)

// receiver is a program that is told of changes.
type receiver struct {
	*httptest.Server
	t      *testing.T
	events chan received

	mu      sync.Mutex
	status  int
	secrets []string // that each message is signed with
}

// received is a message as it came.
type received struct {
	id   string
	json map[string]any
}

func (r received) at(path string) any { return answer{json: r.json}.at(path) }
func (r received) kind() string       { text, _ := r.json["type"].(string); return text }

func newReceiver(t *testing.T) *receiver {
	r := &receiver{t: t, events: make(chan received, 1000), status: 204}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *receiver) trusts(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = secrets
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, secret := range r.secrets {
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err == nil {
			err = verifier.VerifyIgnoringTimestamp(body, request.Header) // tests move the clock
		}
		if err != nil {
			r.t.Errorf("%s does not verify: %v", body, err)
		}
	}
	got := received{id: request.Header.Get("Webhook-Id")}
	if err := json.Unmarshal(body, &got.json); err != nil {
		r.t.Errorf("%s: %v", body, err)
	}
	r.events <- got
	w.WriteHeader(r.status)
}

// next returns the next message, which must be of a kind.
func (r *receiver) next(kind string) received {
	r.t.Helper()
	select {
	case got := <-r.events:
		if got.kind() != kind {
			r.t.Errorf("told of %s, want %s: %v", got.kind(), kind, got.json)
		}
		return got
	case <-time.After(time.Minute):
		r.t.Fatalf("never told of %s", kind)
		return received{}
	}
}

// nothing checks that there is no message up to one about a task that is made now.
func (r *receiver) nothing(s *server, p person) {
	r.t.Helper()
	id := s.task(p, "last")
	if got := r.next("task.created"); got.at("data.task.id") != float64(id) {
		r.t.Errorf("told of %v", got.json)
	}
}

func allKinds() string {
	names, _ := json.Marshal((outbox.EventReminderDue<<1 - 1).Names())
	return string(names)
}

// webhook makes a webhook and returns its id and its secret.
func (s *server) webhook(p person, url, more string) (id int64, secret string) {
	s.t.Helper()
	a := s.call("POST", "/webhooks/", p.access, fmt.Sprintf(`{"url":%q,"events":%s%s}`, url, allKinds(), more))
	if a.status != 201 || a.header.Get("Location") != fmt.Sprintf("/webhooks/%d", a.id("webhook.id")) {
		s.t.Fatalf("%d %s", a.status, a.text)
	}
	return a.id("webhook.id"), a.str("webhook.secret")
}

func TestAWebhookFromBeginningToEnd(t *testing.T) {
	s := start(t)
	ann, r := s.signUp("ann"), newReceiver(t)
	id, secret := s.webhook(ann, r.URL+"/x", "")
	r.trusts(secret)
	task := s.task(ann, "Milk")
	got := r.next("task.created")
	at, err := time.Parse(time.RFC3339, got.json["timestamp"].(string))
	if err != nil || s.clock.Now().Sub(at).Abs() > time.Minute {
		t.Errorf("%v %v", got.json, err)
	}
	if seq := int64(got.at("data.seq").(float64)); got.id != fmt.Sprintf("msg_%s_%d_%d", s.db.Lineage(), id, seq) || got.at("data.task.title") != "Milk" || got.at("data.actor_id") != float64(ann.id) {
		t.Errorf("%s %v", got.id, got.json)
	}
	// The task is as GET has it.
	if a := s.call("GET", fmt.Sprint("/tasks/", task), ann.access, ""); fmt.Sprint(a.json) != fmt.Sprint(got.at("data.task")) {
		t.Errorf("%v\nwant %v", got.at("data.task"), a.json)
	}
	path := fmt.Sprint("/tasks/", task)
	s.call("PATCH", path, ann.access, `{"title":"Bread","priority":"high"}`)
	if got := r.next("task.updated"); fmt.Sprint(got.at("data.changed")) != "[title priority]" {
		t.Errorf("%v", got.json)
	}
	s.call("PATCH", path, ann.access, `{"completed":true}`)
	if got := r.next("task.completed"); fmt.Sprint(got.at("data.changed")) != "[completed]" || got.at("data.task.completed") != true {
		t.Errorf("%v", got.json)
	}
	s.call("PATCH", path, ann.access, `{"completed":false}`)
	r.next("task.reopened")
	s.call("DELETE", path, ann.access, "")
	if got := r.next("task.deleted"); fmt.Sprint(len(got.at("data.task").(map[string]any))) != "2" || got.at("data.task.id") != float64(task) || got.at("data.task.uid") == "" {
		t.Errorf("%v", got.json)
	}
	s.call("POST", path+"/restore", ann.access, "")
	r.next("task.restored")

	hook := fmt.Sprint("/webhooks/", id)
	if a := s.call("GET", hook, ann.access, ""); a.status != 200 || a.str("state") != "active" || strings.Contains(a.text, "secret") || a.str("url") != r.URL+"/x" {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := s.call("GET", "/webhooks/", ann.access, ""); a.id("pagination.total") != 1 || strings.Contains(a.text, "secret") {
		t.Errorf("%d %s", a.status, a.text)
	}
	rotated := s.call("POST", hook+"/rotate", ann.access, "")
	if rotated.status != 200 || rotated.str("webhook.secret") == secret {
		t.Fatalf("%d %s", rotated.status, rotated.text)
	}
	r.trusts(secret, rotated.str("webhook.secret"))
	s.task(ann, "signed twice")
	r.next("task.created")
	s.clock.advance(25 * time.Hour)
	ann = s.login("ann")
	r.trusts(rotated.str("webhook.secret"))
	s.task(ann, "signed once")
	r.next("task.created")

	if a := s.call("PATCH", hook, ann.access, `{"events":["task.deleted"],"url":"`+r.URL+`/y"}`); a.status != 200 || fmt.Sprint(a.at("webhook.events")) != "[task.deleted]" || a.str("webhook.url") != r.URL+"/y" {
		t.Errorf("%d %s", a.status, a.text)
	}
	s.call("DELETE", path, ann.access, "")
	r.next("task.deleted")
	if a := s.call("DELETE", hook, ann.access, ""); a.status != 200 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := s.call("GET", hook, ann.access, ""); a.status != 404 || a.str("code") != "webhook_not_found" {
		t.Errorf("%d %s", a.status, a.text)
	}
	audit := s.call("GET", "/users/me/audit?per_page=100", ann.access, "").text
	for _, event := range []string{"webhook_created", "webhook_secret_rotated", "webhook_deleted"} {
		if !strings.Contains(audit, event) {
			t.Errorf("no %s in %s", event, audit)
		}
	}
	if strings.Contains(audit, "/x") { // it may be a secret
		t.Errorf("the audit record has the path: %s", audit)
	}
}

func TestWebhooksAndLists(t *testing.T) {
	s := start(t)
	ann, ben := s.signUp("ann"), s.signUp("ben")
	all, one, his := newReceiver(t), newReceiver(t), newReceiver(t)
	s.webhook(ann, all.URL, "")
	s.webhook(ben, his.URL, "")
	list := s.call("POST", "/lists/", ann.access, `{"name":"Groceries"}`).id("list.id")
	if got := all.next("list.created"); got.at("data.list.name") != "Groceries" {
		t.Errorf("%v", got.json)
	}
	s.webhook(ann, one.URL, fmt.Sprintf(`,"list_id":%d`, list))
	path := fmt.Sprint("/lists/", list)
	s.call("PATCH", path, ann.access, `{"name":"Food","color":"#00ff00"}`)
	for _, r := range []*receiver{all, one} {
		got := r.next("list.updated")
		changed := got.at("data.changed").([]any)
		slices.SortFunc(changed, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		if got.at("data.list.name") != "Food" || fmt.Sprint(changed) != "[color name]" {
			t.Errorf("%v", got.json)
		}
	}
	s.join(list, ann, ben, "editor")
	for _, r := range []*receiver{all, one, his} {
		if got := r.next("list.shared"); got.at("data.user_id") != float64(ben.id) || got.at("data.list.id") != float64(list) {
			t.Errorf("%v", got.json)
		}
	}
	s.task(ann, "not in the list")
	all.next("task.created")
	task := s.call("POST", "/tasks/", ben.access, fmt.Sprintf(`{"title":"Salt","list_id":%d}`, list)).id("task.id")
	for _, r := range []*receiver{all, one, his} {
		if got := r.next("task.created"); got.at("data.actor_id") != float64(ben.id) {
			t.Errorf("%v", got.json)
		}
	}
	// A task that moves is told once to who sees both lists, and without more than its name to
	// who sees only the one that it left.
	other := s.call("POST", "/lists/", ann.access, `{"name":"Other"}`).id("list.id")
	all.next("list.created")
	s.call("POST", fmt.Sprintf("/tasks/%d/move", task), ann.access, fmt.Sprintf(`{"list_id":%d}`, other))
	if got := all.next("task.moved"); got.at("data.task.list_id") != float64(other) || fmt.Sprint(got.at("data.changed")) != "[list_id]" {
		t.Errorf("%v", got.json)
	}
	if got := one.next("task.moved"); got.at("data.task.title") != "Salt" {
		t.Errorf("%v", got.json)
	}
	if got := his.next("task.moved"); len(got.at("data.task").(map[string]any)) != 2 || got.at("data.task.id") != float64(task) {
		t.Errorf("%v", got.json)
	}
	s.call("PATCH", fmt.Sprint("/tasks/", task), ann.access, `{"title":"unseen"}`)
	all.next("task.updated")
	s.call("DELETE", fmt.Sprintf("%s/members/%d", path, ben.id), ann.access, "")
	for _, r := range []*receiver{all, one, his} {
		got := r.next("list.left")
		if _, seen := got.at("data.list.name").(string); got.at("data.user_id") != float64(ben.id) || seen != (r != his) {
			t.Errorf("%v", got.json)
		}
	}
	s.call("POST", "/tasks/", ann.access, fmt.Sprintf(`{"title":"not for ben","list_id":%d}`, list))
	all.next("task.created")
	one.next("task.created")
	his.nothing(s, ben)
	s.call("DELETE", path, ann.access, "")
	all.next("list.deleted")
	if got := one.next("list.deleted"); len(got.at("data.list").(map[string]any)) != 2 {
		t.Errorf("%v", got.json)
	}
	s.call("POST", path+"/restore", ann.access, "")
	for _, r := range []*receiver{all, one} {
		r.next("list.created")
		r.next("task.restored")
	}
	all.nothing(s, ann)
}

// A repeating task that is completed moves on, and what is kept of it was completed.
func TestWebhooksAndRepeatingTasks(t *testing.T) {
	s := start(t)
	ann, r := s.signUp("ann"), newReceiver(t)
	s.webhook(ann, r.URL, "")
	a := s.call("POST", "/tasks/", ann.access, `{"title":"Water","due":"2030-01-01","recurrence":"FREQ=DAILY"}`)
	r.next("task.created")
	s.call("PATCH", fmt.Sprint("/tasks/", a.id("task.id")), ann.access, `{"completed":true}`)
	got := []received{r.next("task.completed"), r.next("task.updated")}
	if got[0].at("data.task.recurrence_of") != float64(a.id("task.id")) || got[0].at("data.task.completed") != true || fmt.Sprint(got[0].at("data.changed")) != "[completed]" ||
		got[1].at("data.task.id") != float64(a.id("task.id")) || got[1].at("data.task.due") != "2030-01-02" {
		t.Errorf("%v", got)
	}
	r.nothing(s, ann)
}

func TestWebhooksAndReminders(t *testing.T) {
	s := start(t)
	ann, all, other := s.signUp("ann"), newReceiver(t), newReceiver(t)
	s.webhook(ann, all.URL, "")
	list := s.call("POST", "/lists/", ann.access, `{"name":"Other"}`).id("list.id")
	all.next("list.created")
	s.webhook(ann, other.URL, fmt.Sprintf(`,"list_id":%d`, list))
	at := s.clock.Now().Add(time.Minute).UTC().Format(time.RFC3339)
	a := s.call("POST", "/tasks/", ann.access, fmt.Sprintf(`{"title":"Call Bo","reminders":[{"at":%q}]}`, at))
	all.next("task.created")
	for range 10 { // a clock that jumps is in doubt at first
		s.clock.advance(time.Minute)
		_, err := s.db.FireReminders(t.Context(), s.clock.Now(), false)
		must(t, err)
	}
	if got := all.next("reminder.due"); got.at("data.task.id") != float64(a.id("task.id")) || got.at("data.task.title") != "Call Bo" || got.at("data.actor_id") != nil {
		t.Errorf("%v", got.json)
	}
	all.nothing(s, ann)
	s.call("POST", "/tasks/", ann.access, fmt.Sprintf(`{"title":"in the list","list_id":%d}`, list))
	other.next("task.created") // and of the reminder in another list nothing before
}

func TestWhatAWebhookMayBe(t *testing.T) {
	s := start(t)
	ann, ben := s.signUp("ann"), s.signUp("ben")
	list := s.call("POST", "/lists/", ben.access, `{"name":"Ben's"}`).id("list.id")
	good := `"events":["task.created"]`
	long := strings.Repeat("a", outbox.MaxWebhookURL)
	for body, want := range map[string]string{
		`{}`:                                             "422 validation_failed",
		`{"url":"https://a.example"}`:                    "422 validation_failed",
		`{"url":5,` + good + `}`:                         "422 validation_failed",
		`{"url":"",` + good + `}`:                        "422 validation_failed",
		`{"url":"a.example",` + good + `}`:               "422 validation_failed",
		`{"url":"ftp://a.example",` + good + `}`:         "422 validation_failed",
		`{"url":"http://a.example:99999/",` + good + `}`: "422 validation_failed", `{"url":"http://a.example:0/",` + good + `}`: "422 validation_failed",
		`{"url":"file:///etc/passwd",` + good + `}`:                                   "422 validation_failed",
		`{"url":"https://me:pass@a.example",` + good + `}`:                            "422 validation_failed",
		`{"url":"https://me@a.example",` + good + `}`:                                 "422 validation_failed",
		`{"url":"https://a.example/#x",` + good + `}`:                                 "422 validation_failed",
		`{"url":"https://a.example/#",` + good + `}`:                                  "422 validation_failed",
		`{"url":"https://",` + good + `}`:                                             "422 validation_failed",
		`{"url":"https://:80",` + good + `}`:                                          "422 validation_failed",
		`{"url":"https://a.example/\u0000",` + good + `}`:                             "422 validation_failed",
		`{"url":"https://a.example/` + long + `",` + good + `}`:                       "422 validation_failed",
		`{"url":"http://2130706433/",` + good + `}`:                                   "422 validation_failed",
		`{"url":"http://0x7f.1/",` + good + `}`:                                       "422 validation_failed",
		`{"url":"http://0177.0.0.1/",` + good + `}`:                                   "422 validation_failed",
		`{"url":"http://127.1./",` + good + `}`:                                       "422 validation_failed",
		`{"url":"http://10.0.0.1/",` + good + `}`:                                     "422 address_not_allowed",
		`{"url":"http://169.254.169.254/latest/meta-data/",` + good + `}`:             "422 address_not_allowed",
		`{"url":"http://[::1]/",` + good + `}`:                                        "422 address_not_allowed",
		`{"url":"http://[::ffff:127.0.0.1]/",` + good + `}`:                           "422 address_not_allowed",
		`{"url":"http://[fe80::1%25eth0]/",` + good + `}`:                             "422 address_not_allowed",
		`{"url":"http://[64:ff9b::7f00:1]:8080/",` + good + `}`:                       "422 address_not_allowed",
		`{"url":"https://a.example","events":[]}`:                                     "422 validation_failed",
		`{"url":"https://a.example","events":null}`:                                   "422 validation_failed",
		`{"url":"https://a.example","events":"task.created"}`:                         "422 validation_failed",
		`{"url":"https://a.example","events":["task.eaten"]}`:                         "422 validation_failed",
		`{"url":"https://a.example","events":[5]}`:                                    "422 validation_failed",
		`{"url":"https://a.example",` + good + `,"list_id":true}`:                     "422 validation_failed",
		`{"url":"https://a.example",` + good + `,"list_id":` + fmt.Sprint(list) + `}`: "404 list_not_found",
		`[]`: "400 invalid_json",
	} {
		if a := s.call("POST", "/webhooks/", ann.access, body); fmt.Sprint(a.status, " ", a.str("code")) != want {
			t.Errorf("%s: %d %s, want %s", body, a.status, a.text, want)
		}
	}
	for _, url := range []string{"http://127.0.0.1:1/", "http://LOCALHOST:1/", "https://hooks.example.com:8443/a?b=c", "https://8.8.8.8./", "https://b\u00fccher.example/", "http://[2606:4700::1111]/"} {
		if a := s.call("POST", "/webhooks/", ann.access, fmt.Sprintf(`{"url":%q,%s}`, url, good)); a.status != 201 {
			t.Errorf("%s: %d %s", url, a.status, a.text)
		}
	}
	id, _ := s.webhook(ann, "http://127.0.0.1:1/", "")
	hook := fmt.Sprint("/webhooks/", id)
	for body, want := range map[string]string{
		`{}`: "200 ", `{"list_id":null}`: "200 ", `{"url":null}`: "200 ", `{"events":[]}`: "422 validation_failed", `{"url":"http://10.0.0.1"}`: "422 address_not_allowed",
		fmt.Sprintf(`{"list_id":%d}`, list): "404 list_not_found", `{"url":"x"}`: "422 validation_failed", `x`: "400 invalid_json",
	} {
		if a := s.call("PATCH", hook, ann.access, body); fmt.Sprint(a.status, " ", a.str("code")) != want {
			t.Errorf("%s: %d %s, want %s", body, a.status, a.text, want)
		}
	}
	for body, want := range map[string]int{`{"from":"now"}`: 200, `{"from":"where_it_stopped"}`: 200, `{"from":"then"}`: 422, `{}`: 422, `{"from":5}`: 422, `x`: 400} {
		if a := s.call("POST", hook+"/resume", ann.access, body); a.status != want {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	for _, path := range []string{"/webhooks/0", "/webhooks/x", "/webhooks/99"} {
		if a := s.call("GET", path, ann.access, ""); a.status != 404 || a.str("code") != "webhook_not_found" {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
}

func TestAnAccountHasTwentyWebhooks(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for range outbox.MaxWebhooks - 1 {
		s.webhook(ann, "http://127.0.0.1:1/", "")
	}
	made := make(chan int, 2)
	for range 2 { // at once
		go func() {
			made <- s.call("POST", "/webhooks/", ann.access, `{"url":"https://a.example","events":["task.created"]}`).status
		}()
	}
	if a, b := <-made, <-made; a+b != 201+409 {
		t.Errorf("%d and %d", a, b)
	}
	if a := s.call("POST", "/webhooks/", ann.access, `{"url":"https://a.example","events":["task.created"]}`); a.status != 409 || a.str("code") != "too_many_webhooks" {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestWebhooksNeedTheScopeAccount(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	id, _ := s.webhook(ann, "http://127.0.0.1:1/", "")
	tasks, _ := s.apiToken(ann, app.ScopeTasksRead, app.ScopeTasksWrite)
	account, _ := s.apiToken(ann, app.ScopeAccount)
	hook := fmt.Sprint("/webhooks/", id)
	for _, row := range [][3]string{
		{"GET", "/webhooks/", ""}, {"POST", "/webhooks/", `{"url":"https://a.example","events":["task.created"]}`}, {"GET", hook, ""}, {"PATCH", hook, `{}`},
		{"POST", hook + "/rotate", ""}, {"POST", hook + "/resume", `{"from":"now"}`}, {"POST", hook + "/test", ""}, {"GET", hook + "/deliveries", ""}, {"DELETE", hook, ""},
	} {
		if a := s.call(row[0], row[1], tasks, row[2]); a.status != 403 || a.str("code") != "insufficient_scope" {
			t.Errorf("%s %s: %d %s", row[0], row[1], a.status, a.text)
		}
		if a := s.call(row[0], row[1], account, row[2]); a.status > 201 {
			t.Errorf("%s %s: %d %s", row[0], row[1], a.status, a.text)
		}
	}
	expect(t, "redeliver", s.call("POST", hook+"/deliveries/5/redeliver", tasks, ""), 403, "insufficient_scope")
}

// What happened in a list before it went to the trash is told: from there by its ids, and in full
// after it came back.
func TestWebhooksOfAListInTheTrash(t *testing.T) {
	s := start(t)
	ann, r := s.signUp("ann"), newReceiver(t)
	s.webhook(ann, r.URL, "")
	list := s.newList(ann, "shared")
	path := fmt.Sprint("/lists/", list)
	r.next("list.created")
	r.answers(500)
	s.newTask(ann, fmt.Sprintf(`"list_id":%d`, list))
	r.next("task.created") // in vain
	s.call("DELETE", path, ann.access, "")
	r.answers(204)
	s.clock.advance(time.Minute)
	s.task(ann, "another") // wakes what waits
	got := r.next("task.created")
	if task, _ := got.at("data.task").(map[string]any); len(task) != 2 || task["uid"] == "" {
		t.Errorf("%v", got.json)
	}
	r.next("list.deleted")
	r.next("task.created")
	r.answers(500)
	expect(t, "restore", s.call("POST", path+"/restore", ann.access, ""), 200, "")
	r.next("list.created")
	s.newTask(ann, fmt.Sprintf(`"list_id":%d`, list))
	s.call("DELETE", path, ann.access, "")
	expect(t, "restore again", s.call("POST", path+"/restore", ann.access, ""), 200, "")
	r.answers(204)
	s.clock.advance(time.Minute)
	s.task(ann, "one more")
	var kinds []string
	for len(kinds) == 0 || kinds[len(kinds)-1] != "one more" {
		got := <-r.events
		if title, _ := got.at("data.task.title").(string); title == "one more" {
			kinds = append(kinds, title)
			continue
		}
		kinds = append(kinds, got.kind())
	}
	if n := strings.Count(fmt.Sprint(kinds), "task.created"); n != 1 {
		t.Errorf("%v", kinds)
	}
}

// A secret signs for a day after it was replaced, however often.
func TestRotatingTwiceKeepsTheFirstSecret(t *testing.T) {
	s := start(t)
	ann, r := s.signUp("ann"), newReceiver(t)
	id, first := s.webhook(ann, r.URL, "")
	secrets := []string{first}
	for range 2 {
		secrets = append(secrets, s.call("POST", fmt.Sprintf("/webhooks/%d/rotate", id), ann.access, "").str("webhook.secret"))
	}
	r.trusts(secrets...)
	s.task(ann, "t")
	r.next("task.created")
}

func TestTryAndRedeliver(t *testing.T) {
	s := start(t)
	ann, r := s.signUp("ann"), newReceiver(t)
	id, secret := s.webhook(ann, r.URL, "")
	r.trusts(secret)
	hook := fmt.Sprint("/webhooks/", id)
	a := s.call("POST", hook+"/test", ann.access, "")
	if a.status != 200 || a.at("attempt.delivered") != true || a.at("attempt.status") != float64(204) {
		t.Errorf("%d %s", a.status, a.text)
	}
	if got := r.next("webhook.test"); got.at("data.webhook_id") != float64(id) || !strings.HasPrefix(got.id, fmt.Sprintf("msg_%d_test_", id)) {
		t.Errorf("%v", got)
	}
	r.answers(500)
	if a := s.call("POST", hook+"/test", ann.access, ""); a.status != 200 || a.at("attempt.delivered") != false || a.str("attempt.error") != "answered 500 Internal Server Error" {
		t.Errorf("%d %s", a.status, a.text)
	}
	r.next("webhook.test")

	// Refused three times, an event is dead, and the next one is told.
	r.answers(404)
	s.task(ann, "refused")
	first := r.next("task.created")
	seq := int64(first.at("data.seq").(float64))
	for range 2 {
		s.until(func() bool { return s.call("GET", hook, ann.access, "").at("next_at") != nil })
		s.clock.advance(10 * time.Minute)
		ann = s.login("ann")
		s.call("PATCH", hook, ann.access, `{}`) // wakes
		if again := r.next("task.created"); again.id != first.id {
			t.Errorf("%s is told again as %s", first.id, again.id)
		}
	}
	var deliveries answer
	s.until(func() bool {
		deliveries = s.call("GET", hook+"/deliveries", ann.access, "")
		return strings.Contains(deliveries.text, `"dead":true`)
	})
	if d := deliveries.at("deliveries").([]any)[0].(map[string]any); d["seq"] != float64(seq) || d["tries"] != float64(3) || d["status"] != float64(404) || d["error"] != "answered 404 Not Found" || d["event"] != "task.created" {
		t.Errorf("%v", d)
	}
	r.answers(200)
	a = s.call("POST", fmt.Sprintf("%s/deliveries/%d/redeliver", hook, seq), ann.access, "")
	if a.status != 200 || a.at("delivery.dead") != false || a.at("delivery.tries") != float64(4) || a.at("delivery.status") != float64(200) {
		t.Errorf("%d %s", a.status, a.text)
	}
	if again := r.next("task.created"); again.id != first.id {
		t.Errorf("%s is told again as %s", first.id, again.id)
	}
	for _, wrong := range []string{"1", "0", "x", "99999"} {
		if a := s.call("POST", fmt.Sprintf("%s/deliveries/%s/redeliver", hook, wrong), ann.access, ""); a.status != 404 || a.str("code") != "delivery_not_found" {
			t.Errorf("%s: %d %s", wrong, a.status, a.text)
		}
	}
	// What others do where one is no member is no event of one's own.
	ben := s.signUp("ben")
	other := s.call("GET", fmt.Sprint("/tasks/", s.task(ben, "secret")), ben.access, "").id("version")
	if a := s.call("POST", fmt.Sprintf("%s/deliveries/%d/redeliver", hook, other), ann.access, ""); a.status != 404 {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// until waits until something holds.
func (s *server) until(holds func() bool) {
	s.t.Helper()
	for limit := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			s.t.Fatal("it never was so")
		}
	}
}

func TestAReceiverThatIsGone(t *testing.T) {
	s := start(t)
	ann, r := s.signUp("ann"), newReceiver(t)
	id, _ := s.webhook(ann, r.URL, "")
	r.answers(410)
	s.task(ann, "t")
	r.next("task.created")
	if m := s.mail(outbox.MailWebhookOff); m.Data["Webhook"] != fmt.Sprint(id) || m.Data["Gone"] == "" {
		t.Errorf("%+v", m)
	}
	hook := fmt.Sprint("/webhooks/", id)
	s.until(func() bool { return s.call("GET", hook, ann.access, "").str("state") == "off" })
	s.task(ann, "while it is off")
	r.answers(200)
	if a := s.call("POST", hook+"/resume", ann.access, `{"from":"where_it_stopped"}`); a.status != 200 || a.str("webhook.state") != "active" {
		t.Errorf("%d %s", a.status, a.text)
	}
	for _, title := range []string{"t", "while it is off"} {
		if got := r.next("task.created"); got.at("data.task.title") != title {
			t.Errorf("%v", got.json)
		}
	}
}

func TestTryingIsLimited(t *testing.T) {
	s := start(t, func(p *parts) { p.api.Limiter = &app.Limiter{Now: p.api.Now, Max: 100} })
	ann := s.signUp("ann")
	id, _ := s.webhook(ann, "http://127.0.0.1:1/", "")
	for _, path := range []string{"/test", "/deliveries/1/redeliver"} {
		limited := false
		for range 100 {
			limited = limited || s.call("POST", fmt.Sprint("/webhooks/", id, path), ann.access, "").status == 429
		}
		if !limited {
			t.Errorf("%s is not limited", path)
		}
	}
}

// The secret is in no answer but those that make it, and in no log.
func TestASecretIsShownOnce(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	id, secret := s.webhook(ann, "http://127.0.0.1:1/hidden", "")
	s.task(ann, "t")
	hook := fmt.Sprint("/webhooks/", id)
	s.until(func() bool { return s.call("GET", hook, ann.access, "").at("failing_since") != nil })
	var all bytes.Buffer
	for _, path := range []string{"/webhooks/", hook, hook + "/deliveries", "/users/me/audit", "/sync"} {
		all.WriteString(s.call("GET", path, ann.access, "").text)
	}
	if text := all.String() + s.log.String(); strings.Contains(text, secret) || strings.Contains(text, "whsec") {
		t.Errorf("it is shown again: %s", text)
	}
	if strings.Contains(s.log.String(), "hidden") {
		t.Error("the log has the path")
	}
}
