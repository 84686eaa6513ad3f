package app

import (
	"context"
	"net/netip"
)

// Claimant is the party whose share of a scarce resource a request takes: a user
// or, without a sign-in, a network. The zero Claimant is the program itself.
type Claimant struct {
	UserID  int64
	Network netip.Prefix
}

// claimed is a context with a claimant. It takes one allocation for each request;
// context.WithValue would take two.
type claimed struct {
	context.Context
	claimant Claimant
}

type claimantKey struct{}

// Value returns the claimant, or the value of the parent context.
func (c *claimed) Value(key any) any {
	if key == (claimantKey{}) {
		return &c.claimant
	}
	return c.Context.Value(key)
}

// OnBehalf returns a context for work on behalf of a caller.
func OnBehalf(ctx context.Context, caller Caller) context.Context {
	return &claimed{ctx, Claimant{caller.UserID, caller.From.Network()}}
}

// ClaimantOf returns the claimant of a context. Its network is set for users who
// are signed in, too.
func ClaimantOf(ctx context.Context) Claimant {
	if c, ok := ctx.Value(claimantKey{}).(*Claimant); ok {
		return *c
	}
	return Claimant{}
}
