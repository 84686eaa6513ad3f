package dev

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits of faults.
const (
	MaxFaults = 100
	MaxDelay  = time.Minute
)

// Delay is how long an answer waits: as long as both say, or a time between them.
type Delay struct{ Least, Most time.Duration }

var delayForm = regexp.MustCompile(`^(\d{1,6})(ms|s)?(?:\.\.(\d{1,6})(ms|s))?$`)

// ParseDelay reads 300ms, 2s or 300..900ms, up to MaxDelay.
func ParseDelay(text string) (d Delay, ok bool) {
	parts := delayForm.FindStringSubmatch(text)
	if parts == nil || parts[2] == "" && parts[4] == "" {
		return d, false
	}
	units := map[string]time.Duration{"ms": time.Millisecond, "s": time.Second}
	if parts[2] == "" {
		parts[2] = parts[4]
	}
	if parts[3] == "" {
		parts[3], parts[4] = parts[1], parts[2]
	}
	for i, to := range map[int]*time.Duration{1: &d.Least, 3: &d.Most} {
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return d, false
		}
		*to = time.Duration(n) * units[parts[i+1]]
	}
	return d, d.Least <= d.Most && d.Most <= MaxDelay
}

// String is the text that ParseDelay reads; empty for none.
func (d Delay) String() string {
	switch {
	case d == Delay{}:
		return ""
	case d.Least == d.Most:
		return strconv.FormatInt(d.Most.Milliseconds(), 10) + "ms"
	}
	return strconv.FormatInt(d.Least.Milliseconds(), 10) + ".." + strconv.FormatInt(d.Most.Milliseconds(), 10) + "ms"
}

// Drop says when a connection ends without an answer.
type Drop string

// The moments.
const (
	DropNever  Drop = ""
	DropBefore Drop = "before" // nothing was done
	DropAfter  Drop = "after"  // all was done
)

// ParseDrop reads before and after.
func ParseDrop(text string) (Drop, bool) {
	d := Drop(text)
	return d, d == DropBefore || d == DropAfter
}

// Kind is a trouble that a server has, rather than one answer.
type Kind string

// The kinds.
const (
	ExpiredToken Kind = "expired_token" // of each request that shows an access token
	EndedSession Kind = "ended_session" // of each request that shows one, and of a refresh
	FullDisk     Kind = "full_disk"     // for each request that may change something
	ReadOnly     Kind = "read_only"     // the same
)

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{ExpiredToken, EndedSession, FullDisk, ReadOnly} }

// ParseKind reads the name of a kind.
func ParseKind(text string) (Kind, bool) {
	k := Kind(text)
	return k, slices.Contains(Kinds(), k)
}

// ValidStatus reports whether a status is that of an answer without success.
func ValidStatus(status int) bool { return status >= 400 && status <= 599 }

// Trouble is what happens to one request.
type Trouble struct {
	Delay  Delay
	Status int // 0 for none
	Drop   Drop
	Kind   Kind // empty for none
}

// over fills what t leaves open from another trouble.
func (t Trouble) over(other Trouble) Trouble {
	if t.Delay == (Delay{}) {
		t.Delay = other.Delay
	}
	if t.Status == 0 && t.Kind == "" && t.Drop == DropNever {
		t.Status, t.Kind, t.Drop = other.Status, other.Kind, other.Drop
	}
	return t
}

// Fault is an order of trouble.
type Fault struct {
	ID int64
	// Route is a method and a path, either of which may be left out: "POST /tasks/{id}". A
	// segment in braces stands for any, and a * at the end for all that follow.
	Route string
	// Rate is how many of the requests meet it, from 0 to 1.
	Rate float64
	// Times is how many requests meet it before it is over; 0 for no end.
	Times int64
	Trouble
	// Met is how many have met it.
	Met int64
}

// fault is a Fault with its chance.
type fault struct {
	Fault
	chance *rand.Rand
}

// Faults are the orders that stand. Their methods may be called at the same time.
type Faults struct {
	seed uint64

	mu     sync.Mutex
	last   int64
	all    []*fault
	chance *rand.Rand // of what single requests ask for
}

// NewFaults returns no faults. By the same seed, the same requests meet the same faults.
func NewFaults(seed uint64) *Faults {
	f := &Faults{seed: seed}
	f.Clear()
	return f
}

// Add orders trouble, and returns the order with its id; false if there are MaxFaults already.
func (f *Faults) Add(order Fault) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) >= MaxFaults {
		return order, false
	}
	f.last++
	order.ID, order.Met = f.last, 0
	f.all = append(f.all, &fault{order, rand.New(rand.NewPCG(f.seed, uint64(f.last)))})
	return order, true
}

// List returns the faults in the order in which they were added.
func (f *Faults) List() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]Fault, 0, len(f.all))
	for _, one := range f.all {
		all = append(all, one.Fault)
	}
	return all
}

// Remove removes one; false if it is not there.
func (f *Faults) Remove(id int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := len(f.all)
	f.all = slices.DeleteFunc(f.all, func(one *fault) bool { return one.ID == id })
	return len(f.all) < before
}

// Clear removes all, and begins the ids and the chances anew.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last, f.all, f.chance = 0, nil, rand.New(rand.NewPCG(f.seed, 0))
}

// Meet returns the trouble of a request, which asks for some itself, and how long exactly it waits.
// A fault of a kind that does not concern the request is not met.
func (f *Faults) Meet(method, path string, asked Trouble, concerns func(Kind) bool) (met Trouble, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	chance := f.chance
	for _, one := range f.all {
		if !Matches(one.Route, method, path) || one.Times > 0 && one.Met >= one.Times || one.Kind != "" && !concerns(one.Kind) {
			continue
		}
		if one.Rate < 1 && one.chance.Float64() >= one.Rate {
			continue
		}
		one.Met++
		if asked.Delay == (Delay{}) && one.Delay != (Delay{}) {
			chance = one.chance
		}
		asked = asked.over(one.Trouble)
	}
	wait = asked.Delay.Least
	if more := asked.Delay.Most - asked.Delay.Least; more > 0 {
		wait += time.Duration(chance.Int64N(int64(more) + 1))
	}
	return asked, wait
}

// Matches reports whether a request is of a route.
func Matches(route, method, path string) bool { return matches(route, method, path, false) }

// MayMatch reports whether a request of a pattern, such as /tasks/:id or /dav/*, can be of a route. An
// empty method stands for any.
func MayMatch(route, method, pattern string) bool { return matches(route, method, pattern, true) }

func matches(route, method, path string, pattern bool) bool {
	wantMethod, wantPath := splitRoute(route)
	anyMethod := wantMethod == "" || pattern && (method == "" || wantMethod == "HEAD" && method == "GET")
	if !anyMethod && wantMethod != method && (wantMethod != "GET" || method != "HEAD") {
		return false
	}
	if wantPath == "" {
		return true
	}
	want, got := segments(wantPath), segments(path)
	for i, segment := range want {
		switch {
		case segment == "*" && i == len(want)-1:
			return len(got) >= i
		case i >= len(got):
			return false
		case pattern && got[i] == "*":
			return true
		case segment == got[i], anySegment(segment), pattern && strings.Contains(got[i], ":"):
		default:
			return false
		}
	}
	return len(want) == len(got)
}

func splitRoute(route string) (method, path string) {
	method, path, both := strings.Cut(strings.TrimSpace(route), " ")
	switch {
	case both:
		return strings.ToUpper(method), strings.TrimSpace(path)
	case strings.HasPrefix(method, "/"):
		return "", method
	case method == "*":
		return "", ""
	}
	return strings.ToUpper(method), ""
}

func segments(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// anySegment reports whether a segment of a route stands for any: {id}, :id, {secret}.ics or *.
func anySegment(s string) bool {
	return s == "*" || strings.HasPrefix(s, ":") || strings.HasPrefix(s, "{") && strings.Contains(s, "}")
}
