package store

import (
	"database/sql"
	"errors"
	"strings"
	"time"

	"taskapi/app"
	"taskapi/app/account"
)

// as makes a change one that only its caller may make. Who that is was looked
// up before the change got its turn, and may have been signed out, deleted or
// given another role since. So whether the caller may act is decided here, as
// the first thing in the transaction that acts, for every write that anybody
// makes in their own name. Of changes in one transaction by the same caller, only
// the first asks, until one changes what decides.
func (db *DB) as(by app.Caller, change func(tx *tx) error) func(tx *tx) error {
	return func(tx *tx) error {
		who := actor{by.UserID, by.Role, by.SessionID, by.TokenID, by.Proof}
		if _, known := tx.known.admitted[who]; !known {
			if err := tx.mayAct(by, millis(db.now())); err != nil {
				return err
			}
			tx.known.admitted[who] = struct{}{}
		}
		return change(tx)
	}
}

// changesAccess reports whether a statement that writes may change what mayAct decides by.
func changesAccess(query string) bool {
	for _, table := range []string{"users", "sessions", "api_tokens"} {
		if strings.Contains(query, table) {
			return true
		}
	}
	return false
}

// actor is what mayAct looks at.
type actor struct {
	user    int64
	role    app.Role
	session string
	token   int64
	proof   app.Proof
}

// stepBack is how far a clock is set back without being wrong before.
const stepBack = time.Minute

// mayAct returns account.ErrSessionEnded unless the session or the API token that
// the caller came with still is that user's and the role is the same; and with
// a proof that does not hold, account.ErrHashReplaced or account.ErrProofNeeded. The
// scopes of an API token never change.
func (t *tx) mayAct(by app.Caller, now int64) error {
	if by.Operator() {
		return nil
	}
	query, key := `SELECT u.role, u.password_hash, s.created_at FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.id = ? AND u.id = ? AND s.expires_at > ? AND u.deleted_at IS NULL`, any(by.SessionID)
	if !by.SignedIn() {
		query, key = `SELECT u.role, u.password_hash, 0 FROM api_tokens t JOIN users u ON u.id = t.user_id
			WHERE t.id = ? AND u.id = ? AND coalesce(t.expires_at > ?, true) AND u.deleted_at IS NULL`, by.TokenID
	}
	var role app.Role
	var hash string
	var signedIn int64
	err := t.one(query, []any{key, by.UserID, now}, &role, &hash, &signedIn)
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && role != by.Role:
		return account.ErrSessionEnded
	case err != nil:
		return err
	case by.Proof.PasswordHash != "" && by.Proof.PasswordHash != hash:
		return account.ErrHashReplaced
	// A sign-in dated after now was made under a wrong clock: nobody knows when.
	case !by.Proof.SignedInSince.IsZero() && (signedIn < millis(by.Proof.SignedInSince) || signedIn > now+stepBack.Milliseconds()):
		return account.ErrProofNeeded
	}
	return nil
}
