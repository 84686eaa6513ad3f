package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/password"
	"taskapi/app/todo"
)

// gateRoom is how many may wait for a hash in a gated server.
const gateRoom = 8

// gated is a server with rate limits whose one place for hashing is taken
// until open.
type gated struct {
	*server
	hasher *password.Hasher
	open   func()
	flood  sync.WaitGroup
}

// stall holds the place of the hasher up: whoever is let in is asked whether
// they are still there, and answers when released.
type stall struct {
	context.Context
	release chan struct{}
}

func (s stall) Err() error {
	<-s.release
	return context.Canceled
}

func startGated(t *testing.T, prepare func(*server)) *gated {
	t.Helper()
	g := &gated{}
	g.server = start(t, func(p *parts) {
		trustLoopback(&p.api)
		var err error
		g.hasher, err = password.New(password.Options{
			Params: password.Params{Memory: 64, Iterations: 1, Parallelism: 1}, Concurrency: 1, Queue: gateRoom,
		})
		must(t, err)
		guard := &account.Guard{Now: p.api.Now, Max: 1000}
		p.sessions.Passwords, p.users.Passwords, p.recovery.Passwords = g.hasher, g.hasher, g.hasher
		p.sessions.Guard, p.users.Guard, p.recovery.Guard = guard, guard, guard
		p.api.Limiter = &app.Limiter{Now: p.api.Now, Max: 1000}
	})
	prepare(g.server)
	held := stall{t.Context(), make(chan struct{})}
	var holder sync.WaitGroup
	holder.Go(func() { _, _ = g.hasher.Hash(held, "held up") })
	g.open = sync.OnceFunc(func() { close(held.release); holder.Wait() })
	t.Cleanup(func() { g.open(); g.flood.Wait() })
	g.await(1, 0)
	return g
}

// await waits until so many are inside and wait.
func (g *gated) await(running, waiting int) {
	for {
		if r, w := g.hasher.Load(); r == running && w == waiting {
			return
		}
		runtime.Gosched()
	}
}

// post sends a body from an address and returns the status.
func (g *gated) post(method, path, from, token, body string) int {
	request, err := http.NewRequest(method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Error(err)
		return 0
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Forwarded-For", from)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		g.t.Error(err)
		return 0
	}
	_, err = io.Copy(io.Discard, response.Body)
	if err := response.Body.Close(); err != nil {
		g.t.Error(err)
	}
	if err != nil {
		g.t.Error(err)
	}
	return response.StatusCode
}

const signIn = `{"email":"ann@example.com","password":"` + testPassword + `"}`

// Whoever fills the queue for passwords, somebody with the right one gets in.
func TestNobodyTakesAllOfTheHashing(t *testing.T) {
	const home = "198.51.100.7"
	wrong := func(i int) (path, body string) {
		return "/auth/login", fmt.Sprintf(`{"email":"nobody%d@example.com","password":"wrong wrong"}`, i)
	}
	floods := map[string]struct {
		from func(i int) string
		send func(i int) (path, body string)
	}{
		"sign-ins of one address":   {func(int) string { return "192.0.2.1" }, wrong},
		"sign-ins of two addresses": {func(i int) string { return fmt.Sprint("192.0.2.", i%2) }, wrong},
		"sign-ins of many":          {func(i int) string { return fmt.Sprintf("10.%d.0.1", i) }, wrong},
		"registrations": {func(int) string { return "192.0.2.1" }, func(i int) (path, body string) {
			return "/auth/register", fmt.Sprintf(`{"username":"x","email":"x%d@example.com","password":%q,"confirm_password":%q}`, i, testPassword, testPassword)
		}},
	}
	for name, flood := range floods {
		for _, who := range []string{"the owner at home", "the owner on the way", "a change of password"} {
			if name == "sign-ins of many" && who == "the owner on the way" {
				continue // has as little to show for them as each of the others
			}
			t.Run(name+", "+who, func(t *testing.T) {
				var ann person
				g := startGated(t, func(s *server) {
					ann = s.signUp("ann")
					s.with("POST", "/auth/login", signIn, "Content-Type", "application/json", "X-Forwarded-For", home)
				})
				displaced := make(chan int, gateRoom)
				for i := range gateRoom {
					path, body := flood.send(i)
					g.flood.Go(func() { displaced <- g.post("POST", path, flood.from(i), "", body) })
					g.await(1, i+1)
				}
				answered := make(chan int, 1)
				switch who {
				case "the owner at home":
					go func() { answered <- g.post("POST", "/auth/login", home, "", signIn) }()
				case "the owner on the way":
					go func() { answered <- g.post("POST", "/auth/login", "203.0.113.5", "", signIn) }()
				default:
					go func() {
						answered <- g.post("PUT", fmt.Sprint("/users/", ann.id), "203.0.113.5", ann.access,
							fmt.Sprintf(`{"password":"a changed one","current_password":%q}`, testPassword))
					}()
				}
				// Somebody is turned away at once.
				select {
				case status := <-answered:
					t.Fatalf("status %d, with room taken by others", status)
				case status := <-displaced:
					if status != http.StatusServiceUnavailable {
						t.Errorf("one of the flood got %d", status)
					}
				}
				g.open()
				if status := <-answered; status != http.StatusOK {
					t.Errorf("status %d", status)
				}
			})
		}
	}
}

// claims is a store that notes on whose behalf it is asked.
type claims struct {
	todo.TaskStore
	account.SessionStore
	seen chan app.Claimant
}

func (c claims) CreateTask(ctx context.Context, by app.Caller, task todo.NewTask) (todo.Task, error) {
	c.seen <- app.ClaimantOf(ctx)
	return c.TaskStore.CreateTask(ctx, by, task)
}

func (c claims) CreateSession(ctx context.Context, session account.Session, grounds account.SignIn, record account.Record) error {
	c.seen <- app.ClaimantOf(ctx)
	return c.SessionStore.CreateSession(ctx, session, grounds, record)
}

// Work is done on behalf of who asked for it: what counts as one client, and
// the user once they have shown who they are.
func TestWorkIsOnBehalfOfWhoAsks(t *testing.T) {
	seen := make(chan app.Claimant, 10)
	s := start(t, func(p *parts) {
		trustLoopback(&p.api)
		store := claims{p.api.Tasks.Store, p.sessions.Store, seen}
		p.api.Tasks.Store, p.sessions.Store = store, store
	})
	ann := s.signUp("ann")
	raw, _ := s.apiToken(ann, app.ScopeTasksWrite)
	<-seen
	for from, network := range map[string]string{"192.0.2.1": "192.0.2.1/32", "2001:db8:1:2:3::4": "2001:db8:1:2::/64"} {
		stranger := app.Claimant{Network: netip.MustParsePrefix(network)}
		user := app.Claimant{UserID: ann.id, Network: stranger.Network}
		for name, tc := range map[string]struct {
			path, token, body string
			want              app.Claimant
		}{
			"sign-in":      {"/auth/login", "", signIn, stranger},
			"access token": {"/tasks/", ann.access, `{"title":"x"}`, user},
			"API token":    {"/tasks/", raw, `{"title":"x"}`, user},
		} {
			headers := []string{"Content-Type", "application/json", "X-Forwarded-For", from}
			if tc.token != "" {
				headers = append(headers, "Authorization", "Bearer "+tc.token)
			}
			if a := s.with("POST", tc.path, tc.body, headers...); a.status >= 300 {
				t.Fatal(a.status, a.text)
			}
			if got := <-seen; got != tc.want {
				t.Errorf("%s from %s is on behalf of %v, want %v", name, from, got, tc.want)
			}
		}
	}
}
