package password

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// door is a gate of one place, taken until the test calls leave, with a record
// of who came in.
type door struct {
	*gate
	t    *testing.T
	at   time.Time
	mu   sync.Mutex
	came []string
	busy []string
}

// newDoor returns a door whose one place is taken; call it inside a bubble.
func newDoor(t *testing.T, waiting int) *door {
	t.Helper()
	d := &door{t: t, at: time.Unix(0, 0)}
	d.gate = newGate(1, waiting, func() time.Time { return d.at })
	if err := d.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

// ask comes to the door for a network, and waits until the test lets it go.
func (d *door) ask(name, network string, known bool) {
	d.askFor(d.t.Context(), name, network, known)
}

func (d *door) askFor(ctx context.Context, name, network string, known bool) {
	go func() {
		err := d.enter(For(ctx, netip.MustParsePrefix(network), known))
		d.mu.Lock()
		defer d.mu.Unlock()
		switch {
		case err == nil:
			d.came = append(d.came, name)
		case errors.Is(err, ErrBusy):
			d.busy = append(d.busy, name)
		default:
			d.t.Error(err)
		}
	}()
	synctest.Wait()
}

// turns lets n come in, each after the one before has left, and returns who.
func (d *door) turns(n int) string {
	for range n {
		d.leave()
		synctest.Wait()
	}
	return d.taken()
}

// taken returns who has come in since it was last asked.
func (d *door) taken() string {
	came := strings.Join(d.came, " ")
	d.came = nil
	return came
}

// empty lets everybody in and out, and expects that nothing is left of them.
func (d *door) empty() {
	d.t.Helper()
	for range 1000 {
		if running, _ := d.load(); running == 0 {
			break
		}
		d.leave()
		synctest.Wait()
	}
	if running, waiting := d.load(); running != 0 || waiting != 0 || len(d.queue.lanes) != 0 || d.queue.known != 0 || d.queue.others != 0 {
		d.t.Errorf("%d run, %d wait, %d lanes of %d and %d are left", running, waiting, len(d.queue.lanes), d.queue.known, d.queue.others)
	}
}

// floods are ways to be many.
func floods() map[string]func(i int) string {
	return map[string]func(i int) string{
		"one address":             func(int) string { return "192.0.2.1/32" },
		"ten addresses":           func(i int) string { return fmt.Sprintf("10.%d.0.1/32", i%10) },
		"everybody an address":    func(i int) string { return fmt.Sprintf("10.%d.0.1/32", i) },
		"the addresses of a /24":  func(i int) string { return fmt.Sprintf("192.0.2.%d/32", i) },
		"the networks of a /48":   func(i int) string { return fmt.Sprintf("2001:db8:1:%x::/64", i) },
		"several networks a /48":  func(i int) string { return fmt.Sprintf("2001:db8:%x:%x::/64", i%10, i) },
		"nobody knows from where": func(int) string { return "0.0.0.0/0" },
	}
}

// Whoever is many, and whatever they have had, somebody from a quiet network
// gets the next turn and is never turned away.
func TestAFloodCostsAQuietNetworkOneTurn(t *testing.T) {
	for name, network := range floods() {
		for _, known := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", known ", known), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const room = 20
					d := newDoor(t, room)
					for i := range room { // each of them has had a turn
						d.ask("flood", network(i), false)
					}
					d.turns(room)
					for i := range 3 * room {
						d.ask("flood", network(i%room), false)
					}
					if _, waiting := d.load(); waiting != room {
						t.Fatalf("%d wait", waiting)
					}
					d.taken()
					for i := range knownTurns { // then one of the flood would have its
						d.ask("quiet", fmt.Sprintf("203.0.%d.7/32", i), known)
						if got := d.turns(1); got != "quiet" {
							t.Errorf("%q had the turn", got)
						}
						for i := range 3 {
							d.ask("flood", network(i), false)
						}
					}
					if slices.Contains(d.busy, "quiet") {
						t.Error("turned away")
					}
					d.empty()
				})
			})
		}
	}
}

// A network has one place among others, however many it sends.
func TestNetworksComeInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, 20)
		for i := range 4 {
			d.ask(fmt.Sprint("a", i), "10.1.0.1/32", false)
		}
		for i := range 2 {
			d.ask(fmt.Sprint("b", i), "10.2.0.1/32", false)
		}
		d.ask("c0", "2001:db8::/64", false)
		if got, want := d.turns(7), "a0 b0 c0 a1 b1 a2 a3"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		d.empty()
	})
}

func TestKnownNetworksComeFirstButNotAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, 20)
		for i := range 3 {
			d.ask(fmt.Sprint("o", i), fmt.Sprintf("10.%d.0.1/32", i), false)
		}
		for i := range 8 {
			d.ask(fmt.Sprint("k", i), fmt.Sprintf("10.%d.0.1/32", 100+i), true)
		}
		if got, want := d.turns(11), "k0 k1 k2 o0 k3 k4 k5 o1 k6 k7 o2"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		d.empty()
	})
}

// What a network was given counts against it for a minute a turn.
func TestTurnsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, 20)
		d.ask("a", "10.1.0.1/32", false)
		d.turns(1)
		d.at = d.at.Add(turnCost - 1)
		d.ask("a", "10.1.0.1/32", false)
		d.ask("b", "10.2.0.1/32", false)
		if got := d.turns(2); got != "b a" {
			t.Errorf("within the minute: %s", got)
		}
		d.at = d.at.Add(2 * turnCost)
		d.ask("a", "10.1.0.1/32", false)
		d.ask("b", "10.2.0.1/32", false)
		if got := d.turns(2); got != "a b" {
			t.Errorf("after it: %s", got)
		}
		d.empty()
	})
}

// Who finds the queue full takes the place of who has more of it, or has had
// more; and nobody else's.
func TestWhoMakesRoom(t *testing.T) {
	const a, b, c, d, e = "10.1.0.1/32", "10.2.0.1/32", "10.3.0.1/32", "10.4.0.1/32", "10.5.0.1/32"
	type asked struct {
		network string
		known   bool
	}
	for name, tc := range map[string]struct {
		owes    string
		waiting []asked
		comes   asked
		busy    string
	}{
		"the last of the most":                {"", []asked{{a, false}, {b, false}, {b, false}, {c, false}}, asked{d, false}, "2"},
		"one of the newcomer's own":           {"", []asked{{a, false}, {b, false}, {c, false}, {c, false}}, asked{c, false}, "new"},
		"who has one, for one who has none":   {"", []asked{{a, false}, {b, false}, {c, false}, {d, false}}, asked{e, false}, "new"},
		"who owes, for one who doesn't":       {b, []asked{{a, false}, {b, false}, {c, false}, {d, false}}, asked{e, false}, "1"},
		"nobody for one who owes":             {e, []asked{{a, false}, {b, false}, {c, false}, {d, false}}, asked{e, false}, "new"},
		"two for one who has one":             {"", []asked{{a, false}, {b, false}, {b, false}, {b, false}}, asked{a, false}, "3"},
		"an unknown one for a known one":      {"", []asked{{a, true}, {b, false}, {c, false}, {d, true}}, asked{e, true}, "2"},
		"a known one where all are":           {"", []asked{{a, true}, {b, true}, {c, true}, {c, true}}, asked{e, false}, "3"},
		"an unknown one where all but one is": {"", []asked{{a, true}, {b, true}, {c, true}, {d, false}}, asked{e, false}, "new"},
		"a known one that has more":           {"", []asked{{a, true}, {b, true}, {b, true}, {d, false}}, asked{e, true}, "2"},
		"the same network, known":             {"", []asked{{a, false}, {a, false}, {a, false}, {a, false}}, asked{a, true}, "3"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				door := newDoor(t, len(tc.waiting))
				if tc.owes != "" {
					door.ask("", tc.owes, false)
					door.turns(1)
				}
				for i, w := range tc.waiting {
					door.ask(fmt.Sprint(i), w.network, w.known)
				}
				door.ask("new", tc.comes.network, tc.comes.known)
				if got := strings.Join(door.busy, " "); got != tc.busy {
					t.Errorf("%q was turned away, want %q", got, tc.busy)
				}
				door.empty()
			})
		})
	}
}

// Those who give up leave nothing behind, in whatever order.
func TestGivingUpLeavesNoLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, 1000)
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 500 {
			d.askFor(ctx, "left", fmt.Sprintf("10.%d.0.1/32", i%200), i%3 == 0)
			d.ask("stays", fmt.Sprintf("10.%d.0.1/32", i%200), i%3 == 0)
		}
		cancel()
		synctest.Wait()
		if len(d.busy) != 500 || slices.Contains(d.busy, "stays") {
			t.Errorf("%d left", len(d.busy))
		}
		d.turns(500)
		d.leave()
		d.empty()
		if len(d.busy) != 500 {
			t.Errorf("%d left", len(d.busy))
		}
	})
}

func TestTheMemoryOfTurnsIsBounded(t *testing.T) {
	var d debts
	now := time.Unix(0, 0)
	network := func(i int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
	}
	for i := range 10 * maxDebtors {
		d.charge(network(i), now)
		if d.of(network(i), now) < turnCost {
			t.Fatalf("the turn of network %d is forgotten at once", i)
		}
	}
	if len(d.paid) > maxDebtors {
		t.Errorf("%d networks are remembered", len(d.paid))
	}
	for range 100 {
		d.charge(network(0), now)
	}
	if got := d.of(network(0), now); got != 2*maxDebt {
		t.Errorf("owes %s", got)
	}
	now = now.Add(maxDebt)
	for i := range maxDebtors {
		d.charge(network(1<<20+i), now)
	}
	if d.of(network(0), now) != 0 || len(d.paid) > maxDebtors {
		t.Errorf("%s, %d", d.of(network(0), now), len(d.paid))
	}
}

// Whatever happens in whatever order, the queue's own numbers are right, it
// never holds more than its bound, and everybody who stays gets their turn.
func TestAnyOrder(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		q := queue{max: 1 + random.IntN(12)}
		now := time.Unix(0, 0)
		in := map[*waiter]bool{}
		for range 2000 {
			now = now.Add(time.Duration(random.IntN(int(turnCost))))
			network := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(random.IntN(6)), 0, byte(random.IntN(2))}), 32)
			w := &waiter{client: client{network, random.IntN(3) == 0}}
			switch random.IntN(5) {
			case 0, 1, 2:
				displaced, ok := q.join(w, now)
				if displaced != nil && !in[displaced] || displaced != nil && !ok {
					t.Fatal("displaced somebody who was not there, or for nobody")
				}
				delete(in, displaced)
				if ok {
					in[w] = true
				}
			case 3:
				next := q.next(now)
				if (next == nil) != (len(in) == 0) || next != nil && !in[next] {
					t.Fatalf("called %v of %d", next, len(in))
				}
				delete(in, next)
			default:
				for w := range in {
					if !q.remove(w) || q.remove(w) {
						t.Fatal("left no time, or twice")
					}
					delete(in, w)
					break
				}
			}
			lanes := map[client]bool{}
			for _, l := range q.lanes {
				lanes[l.client] = true
				if len(l.waiters) == 0 {
					t.Fatal("an empty lane")
				}
			}
			if q.waiting() != len(in) || len(in) > q.max || len(lanes) != len(q.lanes) {
				t.Fatalf("%d counted, %d in it, at most %d, %d lanes of %d", q.waiting(), len(in), q.max, len(q.lanes), len(lanes))
			}
		}
		for range len(in) {
			delete(in, q.next(now))
		}
		if len(in) != 0 || q.waiting() != 0 || len(q.lanes) != 0 {
			t.Errorf("%d never had a turn", len(in))
		}
	}
}
