package cmd

import (
	"context"
	"fmt"

	"taskapi/app/api"
	"taskapi/app/postgres"
	"taskapi/app/token"
	"taskapi/cmd/datadir"
	"taskapi/cmd/settings"
)

// share lets other processes that use the same database take what this one gives to clients.
func share(config *api.Config, db *database, secret []byte) (err error) {
	if !db.Shared() {
		return nil
	}
	config.Tickets.Uses = db
	config.Tickets.Signer, err = token.NewSigner(secret, "tickets")
	return err
}

// checkKey returns an error unless all processes that share a database sign with one key, which
// the first of them chooses.
func checkKey(ctx context.Context, s settings.Settings, db *database, secret []byte) error {
	if !db.Shared() {
		return nil
	}
	sum, err := token.KeyCheck(secret)
	if err != nil {
		return err
	}
	first, err := db.MetaOnce(ctx, "key_check", sum)
	if err == nil && first != sum {
		err = datadir.ErrOtherKey
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", postgres.Redact(s.Database), err)
	}
	return err
}
