package app

import (
	"context"
	"net/netip"
)

// Claimant is who gets a share of what is scarce and has a queue in front of
// it: a user, or a network from where somebody is not signed in. The zero one
// is the program itself.
type Claimant struct {
	UserID  int64
	Network netip.Prefix
}

// claimed is a context with a claimant. It costs each request one allocation,
// and context.WithValue would two.
type claimed struct {
	context.Context
	claimant Claimant
}

type claimantKey struct{}

// Value returns the claimant, or what the context around knows.
func (c *claimed) Value(key any) any {
	if key == (claimantKey{}) {
		return &c.claimant
	}
	return c.Context.Value(key)
}

// OnBehalf returns a context for work that the caller has asked for.
func OnBehalf(ctx context.Context, caller Caller) context.Context {
	return &claimed{ctx, Claimant{caller.UserID, caller.From.Network()}}
}

// ClaimantOf returns on whose behalf the work of a context is done. The network
// is that of a user who is signed in, too.
func ClaimantOf(ctx context.Context) Claimant {
	if c, ok := ctx.Value(claimantKey{}).(*Claimant); ok {
		return *c
	}
	return Claimant{}
}
