package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// sessionIn is a request of a session, which several tabs share.
type sessionIn struct {
	who   string
	do    string // "refresh", "use" (with an access token), or "end" (of all sessions of the account)
	token string // the refresh token, or what it is used with
}

// sessionOut is what it was answered: with refresh tokens.
type sessionOut struct {
	lost   bool
	status int
	token  string
}

// sessionState is what a session is, by the contract: it ends when somebody ends it, and never
// otherwise, as long as tabs are no further behind than the grace of a retired token.
type sessionState struct {
	ended   bool
	current string // empty if nobody was told
	retired string // those before, in their order
}

func (s sessionState) step(in sessionIn, out sessionOut) (bool, sessionState) {
	switch {
	case s.ended:
		return out.lost || out.status == http.StatusUnauthorized, s
	case in.do == "use":
		return out.lost || out.status == http.StatusOK, s
	case in.do == "end":
		s.ended = true
		return out.lost || out.status == http.StatusOK, s
	case !out.lost && out.status != http.StatusOK:
		return false, s
	case in.token == s.current:
		s.retired += " " + in.token
		s.current = out.token
		return out.lost || !s.was(out.token), s
	case !s.was(in.token):
		return false, s
	case out.lost:
		return true, s
	case s.current == "":
		s.current = out.token
		return !s.was(out.token), s
	}
	return out.token == s.current, s
}

func (s sessionState) was(token string) bool {
	return slices.Contains(strings.Fields(s.retired), token)
}

func sessionModel(first map[string]string) porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
			of := map[string][]porcupine.Operation{}
			for _, operation := range history {
				who := operation.Input.(sessionIn).who
				of[who] = append(of[who], operation)
			}
			for _, part := range of {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() any { return sessionState{} },
		Step: func(state, in, out any) (bool, any) {
			s := state.(sessionState)
			if s == (sessionState{}) {
				s.current = first[in.(sessionIn).who]
			}
			return s.step(in.(sessionIn), out.(sessionOut))
		},
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v: %+v", in, out) },
	}
}

// tab uses a session until somebody ends it.
func (w *witness) tab(number, requests int, who, refresh, access string, ends bool) {
	random := rand.New(rand.NewPCG(uint64(number), 6))
	for n := range requests {
		in := sessionIn{who: who, do: []string{"refresh", "use", "use"}[random.IntN(3)], token: refresh}
		switch {
		case ends && n == requests*2/3:
			in.do, in.token = "end", access
		case in.do == "use":
			in.token = access
		}
		out, fresh := w.askSession(number, random, in)
		if out.status == http.StatusUnauthorized {
			w.askSession(number, random, sessionIn{who, "use", access})
			return
		}
		if in.do == "refresh" {
			refresh, access = out.token, fresh
		}
	}
}

// askSession sends a request until it is answered, and records it. It returns the access token, too.
func (w *witness) askSession(number int, random *rand.Rand, in sessionIn) (out sessionOut, access string) {
	out = asked(w, number, random, in, true, in.do == "use", func(ctx context.Context) (out sessionOut, failed bool, err error) {
		out, access, err = w.sendSession(ctx, in)
		return out, out.status >= 500, err
	}, sessionOut{lost: true})
	return out, access
}

func (w *witness) sendSession(ctx context.Context, in sessionIn) (out sessionOut, access string, err error) {
	method, path, body := http.MethodGet, "/users/me", ""
	switch in.do {
	case "refresh":
		method, path, body = http.MethodPost, "/auth/refresh", fmt.Sprintf(`{"refresh_token":%q}`, in.token)
	case "end":
		method, path, body = http.MethodPost, "/auth/logout-all", `{}`
	}
	request, err := http.NewRequestWithContext(ctx, method, w.server.Load().url+path, strings.NewReader(body))
	if err != nil {
		return out, "", err
	}
	request.Header["content-type"] = []string{"application/json"}
	if in.do != "refresh" {
		request.Header.Set("Authorization", "Bearer "+in.token)
	}
	response, err := w.http.Do(request)
	if err != nil {
		return out, "", err
	}
	var answer struct {
		Refresh string `json:"refresh_token"`
		Access  string `json:"access_token"`
	}
	err = errors.Join(json.NewDecoder(response.Body).Decode(&answer), response.Body.Close())
	return sessionOut{status: response.StatusCode, token: answer.Refresh}, answer.Access, err
}

// A session that several tabs share, some of which do not wait for their answers, goes on through
// kills of the server until somebody ends it, and is over for all of them then, at once.
func TestSessionsAreLinearizable(t *testing.T) {
	const accounts, tabs, requests, lives = 4, 3, 40, 4
	folder(t)
	transport := &http.Transport{MaxIdleConnsPerHost: accounts * tabs}
	defer transport.CloseIdleConnections()
	w := &witness{t: t, http: &http.Client{Transport: transport}, began: time.Now(), due: make(chan struct{}, 100), every: accounts * tabs * requests / lives}
	p := start(t, nil, "--rate-limit=off")
	w.server.Store(p)
	first := map[string]string{}
	var all sync.WaitGroup
	for account := range accounts {
		who := fmt.Sprint("person", account)
		password := fmt.Sprintf(`"password":%[1]q,"confirm_password":%[1]q`, plainPassword)
		p.call("POST", "/auth/register", "", fmt.Sprintf(`{"username":%[1]q,"email":"%[1]s@example.com",%s}`, who, password))
		status, answer := p.call("POST", "/auth/login", "", fmt.Sprintf(`{"email":"%s@example.com",%s}`, who, password))
		if status != http.StatusOK {
			t.Fatal(status, answer)
		}
		first[who] = answer["refresh_token"].(string)
		for tab := range tabs {
			all.Go(func() {
				w.tab(account*tabs+tab, requests, who, first[who], answer["access_token"].(string), tab == 0)
			})
		}
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for life := 0; ; life++ {
		select {
		case <-w.due:
			w.restart(life%2 == 0)
			continue
		case <-done:
		}
		break
	}
	w.judgeSessions(sessionModel(first))
}

func (w *witness) judgeSessions(model porcupine.Model) {
	seen := map[string]int{}
	for _, operation := range w.history {
		in, out := operation.Input.(sessionIn), operation.Output.(sessionOut)
		seen[fmt.Sprint(in.do, " ", out.status)]++
	}
	w.t.Log(seen)
	for _, what := range []string{"refresh 200", "refresh 0", "use 200", "use 401", "end 200"} {
		if seen[what] == 0 {
			w.t.Errorf("never seen: %s", what)
		}
	}
	w.hold(model, func(in any) string { return in.(sessionIn).who })
}
