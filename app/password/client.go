package password

import (
	"context"
	"net/netip"
)

// client identifies on whose behalf a password is hashed.
type client struct {
	network netip.Prefix // the zero one is everybody whose address is not known
	known   bool
}

type clientKey struct{}

// For names the network that a password is worked on for, so that Hash and
// Verify give each network its share. Known says that it has shown before that
// it may be here, as by a sign-in to the account; then it goes first. Without
// it, as on the command line, all share one place.
func For(ctx context.Context, network netip.Prefix, known bool) context.Context {
	return context.WithValue(ctx, clientKey{}, client{network.Masked(), known})
}

func clientOf(ctx context.Context) client {
	c, _ := ctx.Value(clientKey{}).(client)
	return c
}
