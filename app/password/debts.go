package password

import (
	"net/netip"
	"time"
)

const (
	// turnCost is how long a turn counts against a network: who needs no more
	// than one a minute owes nothing when they come.
	turnCost = time.Minute
	// maxDebt is when a network that was given many is as good as new.
	maxDebt = 15 * time.Minute
	// maxDebtors bounds the memory, at about 100 bytes each.
	maxDebtors = 8192
)

// debts remembers which networks were given turns lately. Each turn costs its
// network, and the larger one around that, turnCost, which is paid off by
// waiting: somebody who has many networks side by side (an IPv6 customer has up
// to 65,536) gets no more from each than the first one left them.
type debts struct {
	paid map[netip.Prefix]time.Time // when the network owes nothing any more
}

// around is the network that is mostly one customer's: a /48 of IPv6 (RFC 6177)
// or a /24 of IPv4, the smallest that the Internet routes. The zero one for a
// network that is no smaller.
func around(network netip.Prefix) netip.Prefix {
	bits := 24
	if network.Addr().Is6() {
		bits = 48
	}
	if network.Bits() <= bits {
		return netip.Prefix{}
	}
	larger, _ := network.Addr().Prefix(bits)
	return larger
}

// of returns what a network owes, with what is around it.
func (d *debts) of(network netip.Prefix, now time.Time) time.Duration {
	owed := max(0, d.paid[network].Sub(now))
	if larger := around(network); larger.IsValid() {
		owed += max(0, d.paid[larger].Sub(now))
	}
	return owed
}

// charge counts a turn.
func (d *debts) charge(network netip.Prefix, now time.Time) {
	d.add(network, now)
	if larger := around(network); larger.IsValid() {
		d.add(larger, now)
	}
}

func (d *debts) add(network netip.Prefix, now time.Time) {
	paid, there := d.paid[network]
	if !there {
		d.makeRoom(now)
	}
	if paid.Before(now) {
		paid = now
	}
	if paid = paid.Add(turnCost); paid.Sub(now) > maxDebt {
		paid = now.Add(maxDebt)
	}
	d.paid[network] = paid
}

// makeRoom forgets who owes nothing and, so that a flood of networks does not
// sweep the whole map for each of them, an eighth of the others if still full.
func (d *debts) makeRoom(now time.Time) {
	if d.paid == nil {
		d.paid = make(map[netip.Prefix]time.Time)
	}
	if len(d.paid) < maxDebtors {
		return
	}
	for network, paid := range d.paid {
		if !paid.After(now) {
			delete(d.paid, network)
		}
	}
	surplus := len(d.paid) - maxDebtors + maxDebtors/8
	for network := range d.paid {
		if surplus <= 0 {
			return
		}
		delete(d.paid, network)
		surplus--
	}
}
