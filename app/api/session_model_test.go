package api_test

import (
	"fmt"
	"testing"
	"time"

	"taskapi/app/account"

	"pgregory.net/rapid"
)

// modelSession is what the rules in api.md say of one sign-in.
type modelSession struct {
	alive   bool
	begun   time.Time
	tokens  []string // by generation, from 1 at index 0
	retired map[int]time.Time
	access  string // the newest
	issued  time.Time
}

// world is a server and the model that it is compared with.
type world struct {
	t        *rapid.T
	s        *server
	now      time.Time
	password string
	gone     bool // the user has been deleted
	sessions []*modelSession
	steps    int
}

func (w *world) login() {
	a := w.s.call("POST", "/auth/login", "", fmt.Sprintf(`{"email":"ann@example.com","password":%q}`, w.password))
	if want := map[bool]int{false: 200, true: 401}[w.gone]; a.status != want {
		w.t.Fatalf("login: %d %s, want %d", a.status, a.text, want)
	}
	if !w.gone {
		w.sessions = append(w.sessions, &modelSession{
			alive: true, begun: w.now, tokens: []string{a.str("refresh_token")}, retired: map[int]time.Time{},
			access: a.str("access_token"), issued: w.now,
		})
	}
}

// pick draws a session and the number of one of its tokens, the newest more
// often than the others.
func (w *world) pick() (*modelSession, int) {
	x := rapid.SampledFrom(w.sessions).Draw(w.t, "session")
	back := rapid.SampledFrom([]int{0, 0, 0, 1, 1, 2, 5}).Draw(w.t, "generations back")
	return x, max(1, len(x.tokens)-back)
}

func (w *world) refresh() {
	x, shown := w.pick()
	a := w.s.refresh(x.tokens[shown-1])
	current := len(x.tokens)
	retired, known := x.retired[shown]
	switch {
	case !x.alive || !w.now.Before(x.begun.Add(7*24*time.Hour)):
		x.alive = false
		w.expect("an ended one", a, 401)
	case shown == current:
		w.expect("the current one", a, 200)
		x.retired[shown] = w.now
		for _, other := range x.tokens {
			if other == a.str("refresh_token") {
				w.t.Fatal("a successor that was there before")
			}
		}
		x.tokens = append(x.tokens, a.str("refresh_token"))
		x.access, x.issued = a.str("access_token"), w.now
	case known && w.now.Sub(retired) <= account.RefreshGrace:
		w.expect("a retired one within its grace", a, 200)
		if a.str("refresh_token") != x.tokens[current-1] {
			w.t.Fatal("another successor")
		}
		x.access, x.issued = a.str("access_token"), w.now
	default:
		w.expect("a replay", a, 401)
		x.alive = false
	}
}

func (w *world) logout() {
	x, shown := w.pick()
	want := 400
	if x.alive && w.now.Before(x.begun.Add(7*24*time.Hour)) {
		want = 200
	}
	w.expect("logout", w.s.logout(x.tokens[shown-1]), want)
	x.alive = false
}

func (w *world) expect(what string, a answer, status int) {
	if a.status != status {
		w.t.Fatalf("%s: %d %s, want %d", what, a.status, a.text, status)
	}
}

// works says whether the newest access token of a session must work.
func (w *world) works(x *modelSession) bool {
	return x.alive && w.now.Before(x.issued.Add(15*time.Minute)) && w.now.Before(x.begun.Add(7*24*time.Hour))
}

func (w *world) changePassword() {
	x := rapid.SampledFrom(w.sessions).Draw(w.t, "session")
	next := fmt.Sprintf("password number %d", w.steps)
	a := w.s.call("PUT", "/users/1", x.access, fmt.Sprintf(`{"password":%q,"current_password":%q}`, next, w.password))
	if !w.works(x) {
		w.expect("change of password", a, 401)
		return
	}
	w.expect("change of password", a, 200)
	w.password = next
	for _, other := range w.sessions {
		other.alive = other.alive && other == x
	}
}

func (w *world) deleteUser() {
	x := rapid.SampledFrom(w.sessions).Draw(w.t, "session")
	a := w.s.call("DELETE", "/users/1", x.access, fmt.Sprintf(`{"current_password":%q}`, w.password))
	if !w.works(x) {
		w.expect("deletion", a, 401)
		return
	}
	w.expect("deletion", a, 200)
	w.gone = true
	for _, other := range w.sessions {
		other.alive = false
	}
}

func (w *world) advance() {
	by := rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Second, 30 * time.Second, 31 * time.Second, 14 * time.Minute, 20 * time.Hour}).Draw(w.t, "time")
	w.s.clock.advance(by)
	w.now = w.now.Add(by)
}

// TestRandomHistoriesOfSessions compares the server with the model after every
// step of random histories: every access token works exactly as long as the
// model says.
func TestRandomHistoriesOfSessions(t *testing.T) {
	histories, steps := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		s := start(t)
		s.clock.freeze()
		w := &world{t: rt, s: s, now: s.clock.Now(), password: testPassword}
		s.register("ann")
		w.login()
		actions := []func(){w.refresh, w.refresh, w.refresh, w.refresh, w.advance, w.advance, w.login, w.logout, w.changePassword}
		length := rapid.IntRange(5, 40).Draw(rt, "length")
		for w.steps = range length {
			rapid.SampledFrom(actions).Draw(rt, "action")()
			if w.steps == length-5 && rapid.Bool().Draw(rt, "delete") {
				w.deleteUser()
			}
			for _, x := range w.sessions {
				if got := s.alive(x.access); got != w.works(x) {
					rt.Fatalf("an access token works: %v, want %v", got, w.works(x))
				}
			}
		}
		histories, steps = histories+1, steps+length
	})
	t.Logf("%d histories with %d steps", histories, steps)
}
