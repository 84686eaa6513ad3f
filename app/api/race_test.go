package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"taskapi/app/password"
)

// atOnce runs the calls at the same time and counts the statuses.
func atOnce(n int, call func(i int) answer) map[int]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	statuses := map[int]int{}
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-begin
			a := call(i)
			mu.Lock()
			defer mu.Unlock()
			statuses[a.status]++
		})
	}
	close(begin)
	all.Wait()
	return statuses
}

func TestOneAddressIsRegisteredOnce(t *testing.T) {
	s := start(t)
	got := atOnce(20, func(i int) answer {
		address := "ann@example.com"
		if i%2 == 1 {
			address = "ANN@example.com"
		}
		a := s.call("POST", "/auth/register", "", fmt.Sprintf(`{"username":"ann","email":%q,"password":%q,"confirm_password":%q}`, address, testPassword, testPassword))
		if a.status == 422 && a.str("errors.email") != "The email is already registered." {
			t.Errorf("%s", a.text)
		}
		return a
	})
	if got[201] != 1 || got[422] != 19 {
		t.Errorf("got %v", got)
	}
}

func TestChangesWhileDeleting(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for range 20 {
		id := s.task(ann, "t")
		got := atOnce(6, func(i int) answer {
			if i < 2 {
				return s.call("DELETE", fmt.Sprint("/tasks/", id), ann.access, "")
			}
			return s.call("PUT", fmt.Sprint("/tasks/", id), ann.access, `{"completed":true}`)
		})
		if got[200]+got[404] != 6 || got[404] < 1 {
			t.Errorf("got %v", got)
		}
	}
}

func TestRequestsWhileTheirUserIsDeleted(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	got := atOnce(16, func(i int) answer {
		switch i % 4 {
		case 0:
			return s.call("DELETE", fmt.Sprint("/users/", ann.id), ann.access, "")
		case 1:
			return s.call("POST", "/tasks/", ann.access, `{"title":"t"}`)
		case 2:
			return s.refresh(ann.refresh)
		}
		return s.call("PUT", fmt.Sprint("/users/", ann.id), ann.access, `{"username":"b"}`)
	})
	for status, n := range got {
		switch status {
		case 200, 201, 401, 404, 422:
		default:
			t.Errorf("%d answers of %d", n, status)
		}
	}
}

func TestChangesOfDifferentFieldsAtOnceAllStay(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for range 20 {
		id := s.task(ann, "t")
		path := fmt.Sprint("/tasks/", id)
		bodies := []string{`{"title":"new"}`, `{"description":"new text"}`, `{"completed":true}`}
		if got := atOnce(3, func(i int) answer { return s.call("PATCH", path, ann.access, bodies[i]) }); got[200] != 3 {
			t.Fatalf("got %v", got)
		}
		a := s.call("GET", path, ann.access, "")
		if a.str("title") != "new" || a.str("description") != "new text" || a.at("completed") != true {
			t.Errorf("something was lost: %s", a.text)
		}
	}
}

func TestAHundredLoginsAtOnceAreAnswered(t *testing.T) {
	narrow, err := password.New(password.Options{Params: password.Params{Memory: 1024, Iterations: 1, Parallelism: 1}, Concurrency: 1, Queue: 10})
	must(t, err)
	s := start(t, func(p *parts) { p.users.Passwords, p.sessions.Passwords = narrow, narrow })
	s.register("ann")
	got := map[int]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			a := s.raw("POST", "/auth/login", fmt.Sprintf(`{"email":"ann@example.com","password":%q}`, testPassword))
			if a.status == 503 && (a.header.Get("Retry-After") != "1" || !strings.Contains(a.text, `"code":"server_busy"`)) {
				t.Errorf("%v %s", a.header, a.text)
			}
			mu.Lock()
			defer mu.Unlock()
			got[a.status]++
		})
	}
	all.Wait()
	if got[200] == 0 || got[503] == 0 || got[200]+got[503] != 100 {
		t.Errorf("got %v", got)
	}
}
