//go:build ignore

// A to-do list in the terminal, with the standard library only:
//
//	go run main.go [list | add TITLE | tick ID | delete ID]
//
// It needs a server, such as `taskapi dev`. TASKAPI_URL says where that is, TASKAPI_EMAIL and
// TASKAPI_PASSWORD who you are. In a module of your own, leave the first line out.
package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

type task struct {
	ID    int64   `json:"id"`
	Title string  `json:"title"`
	Due   *string `json:"due"`
}

// refusal is an answer that is no success.
type refusal struct {
	Message string            `json:"error"`
	Errors  map[string]string `json:"errors"` // by field
}

func (r *refusal) Error() string {
	for _, text := range r.Errors {
		return text
	}
	return r.Message
}

type client struct{ url, access, refresh string }

// call sends a request and decodes the answer. It sends it again if the server is busy or its answer
// is lost; thanks to the key, a change that is sent again is made once.
func (c *client) call(method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	key := rand.Text()
	for tries := 1; ; tries++ {
		wait, err := c.send(method, path, key, body, out)
		if wait == 0 || tries == 4 {
			return err
		}
		time.Sleep(wait)
	}
}

// send sends a request once. If it makes sense to send it again, it returns after what time.
func (c *client) send(method, path, key string, body []byte, out any) (wait time.Duration, err error) {
	request, err := http.NewRequest(method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	if c.access != "" {
		request.Header.Set("Authorization", "Bearer "+c.access)
	}
	answer, err := (&http.Client{Timeout: 30 * time.Second}).Do(request)
	if err != nil {
		return time.Second, fmt.Errorf("%s can't be reached: %w", c.url, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode < 300 {
		return 0, json.NewDecoder(answer.Body).Decode(out)
	}
	if slices.Contains([]int{429, 502, 503, 504}, answer.StatusCode) {
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		wait = max(time.Second, time.Duration(seconds)*time.Second)
	}
	var no refusal
	if json.NewDecoder(answer.Body).Decode(&no) != nil {
		no.Message = "the answer is " + answer.Status // a proxy's
	}
	return wait, &no
}

func (c *client) signIn(email, password string) error {
	var answer struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	err := c.call("POST", "/auth/login", map[string]string{"email": email, "password": password}, &answer)
	c.access, c.refresh = answer.Access, answer.Refresh
	return err
}

func (c *client) signOut() error {
	return c.call("POST", "/auth/logout", map[string]string{"refresh_token": c.refresh}, &struct{}{})
}

func run(c *client, command string, rest []string) error {
	var one struct{ Task task }
	switch {
	case command == "list":
		var page struct{ Tasks []task }
		err := c.call("GET", "/tasks/?completed=false&per_page=100", struct{}{}, &page)
		for _, t := range page.Tasks {
			fmt.Printf("%6d  %s\n", t.ID, t.Title)
		}
		return err
	case command == "add" && len(rest) > 0:
		if err := c.call("POST", "/tasks/", map[string]string{"title": strings.Join(rest, " ")}, &one); err != nil {
			return err
		}
		fmt.Printf("Added %d: %s\n", one.Task.ID, one.Task.Title)
		return nil
	case command == "tick" && len(rest) == 1:
		if err := c.call("PATCH", "/tasks/"+rest[0], map[string]bool{"completed": true}, &one); err != nil {
			return err
		}
		fmt.Println("Done:", one.Task.Title)
		return nil
	case command == "delete" && len(rest) == 1:
		return c.call("DELETE", "/tasks/"+rest[0], struct{}{}, &struct{}{})
	}
	return errors.New("usage: go run main.go [list | add TITLE | tick ID | delete ID]")
}

func main() {
	c := &client{url: cmp.Or(os.Getenv("TASKAPI_URL"), "http://localhost:8000")}
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"list"}
	}
	err := c.signIn(os.Getenv("TASKAPI_EMAIL"), os.Getenv("TASKAPI_PASSWORD"))
	if err == nil {
		err = errors.Join(run(c, args[0], args[1:]), c.signOut())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "todo:", err)
		os.Exit(1)
	}
}
