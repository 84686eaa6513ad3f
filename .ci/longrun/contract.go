package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// contract knows which answers openapi.yaml has, and counts what was answered.
type contract struct {
	router routers.Router
	faults *faults

	mu       sync.Mutex
	statuses map[int]int
	done     map[string]int // successes, by what was done
	tried    map[string]int
	refusals map[string]int // by code
	limited  int
}

// leftOver is the act that may well find nothing to do.
const leftOver = "revoke what is left"

func newContract(file string, f *faults) (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, err
	}
	doc.Servers = nil
	router, err := gorillamux.NewRouter(doc)
	return &contract{router: router, faults: f, statuses: map[int]int{}, done: map[string]int{}, tried: map[string]int{}, refusals: map[string]int{}}, err
}

// check counts an answer, and finds fault with one that the contract does not have.
func (c *contract) check(act string, request *http.Request, a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.statuses[a.status]++
	c.tried[act]++
	if a.status < 400 {
		c.done[act]++
	} else {
		c.refusals[fmt.Sprint(a.status, " ", a.Code)]++
	}
	if limit := a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable; limit {
		c.limited++
		if !slices.Contains([]string{"too_many_requests", "too_many_streams", "server_busy"}, a.Code) || a.header.Get("Retry-After") == "" {
			c.faults.add("%s: %d with the code %q and Retry-After %q", act, a.status, a.Code, a.header.Get("Retry-After"))
		}
		if a.status == http.StatusServiceUnavailable {
			return // may befall any request
		}
	}
	if !c.has(request, a.status) {
		c.faults.add("%s: %s %s: %d is not in the contract: %.200s", act, request.Method, request.URL.Path, a.status, a.text)
	}
}

// has reports whether the contract has a status for a request. Calendar clients have a contract
// of their own (RFC 4791).
func (c *contract) has(request *http.Request, status int) bool {
	if strings.HasPrefix(request.URL.Path, "/dav/") {
		return slices.Contains([]int{200, 201, 204, 207, 403, 404, 409, 412}, status)
	}
	plain := request.Clone(request.Context())
	plain.URL.Scheme, plain.URL.Host = "", ""
	plain.URL.Path = strings.TrimSuffix(plain.URL.Path, "/")
	route, _, err := c.router.FindRoute(plain)
	return err == nil && route.Operation.Responses.Value(strconv.Itoa(status)) != nil
}

// judge finds fault if something was tried and never done, since then nothing was tested.
func (c *contract) judge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for act, n := range c.tried {
		if n >= 10 && c.done[act] == 0 && act != leftOver {
			c.faults.add("%s was tried %d times, and never done", act, n)
		}
	}
}

func (c *contract) print() {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Print("answers:")
	for _, status := range slices.Sorted(maps.Keys(c.statuses)) {
		fmt.Printf(" %d: %d", status, c.statuses[status])
	}
	fmt.Printf("; %d of them by limits\nrefusals: %v\nsuccesses:", c.limited, c.refusals)
	for _, act := range slices.Sorted(maps.Keys(c.tried)) {
		fmt.Printf(" %s %d/%d", act, c.done[act], c.tried[act])
	}
	fmt.Println()
}
