package store

import (
	"context"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/todo"
)

var _ todo.InvitationStore = (*DB)(nil)

const invitationColumns = `id, role, coalesce(email, ''), expires_at`

func scanInvitation(row Row, before ...any) (i todo.Invitation, err error) {
	var expires int64
	err = row.Scan(append(before, &i.ID, &i.Role, &i.Email, &expires)...)
	i.ExpiresAt = fromMillis(expires)
	return i, err
}

// Invite adds an invitation to a list of the caller's.
func (db *DB) Invite(ctx context.Context, by app.Caller, ref todo.Ref, n todo.NewInvitation, letter todo.Letter) (todo.Invitation, error) {
	var made todo.Invitation
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		list, err := tx.ownList(db.seed, by, ref)
		if err != nil {
			return err
		}
		var open int64
		if err := tx.one(`SELECT count(*) FROM invitations WHERE list_id = ? AND expires_at > ?`, []any{list.ID, millis(n.CreatedAt)}, &open); err != nil {
			return err
		}
		switch {
		case open >= todo.MaxInvitations:
			return todo.ErrTooManyInvitations
		case list.Members >= todo.MaxMembers:
			return todo.ErrListFull
		}
		err = tx.each(`INSERT INTO invitations (list_id, role, email, hash, created_by, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING `+invitationColumns,
			[]any{list.ID, int(n.Role), nullText(n.Email), n.Hash, by.UserID, millis(n.CreatedAt), millis(n.ExpiresAt)}, func(row Row) error {
				made, err = scanInvitation(row)
				made.ListID = list.ID
				return err
			})
		if tx.changed = true; err != nil || letter.To == "" {
			return err
		}
		return tx.mailInvitation(by.UserID, list.Name, n, letter)
	}))
	return made, err
}

// mailInvitation queues an invitation. What people wrote is put in only if no mail program
// makes a link of it.
func (t *tx) mailInvitation(inviter int64, list string, n todo.NewInvitation, letter todo.Letter) error {
	user, err := t.user(userByID, inviter)
	if err != nil {
		return err
	}
	return t.queueMail(inviter, outbox.NewMail{
		Template: outbox.MailInvitation, To: letter.To, CreatedAt: n.CreatedAt,
		Data: map[string]string{"Seed": letter.Seed, "List": outbox.Harmless(list), "Username": outbox.Harmless(user.Username)},
	})
}

// Invitations returns a page of the open invitations to a list of the caller's.
func (db *DB) Invitations(ctx context.Context, userID int64, ref todo.Ref, now time.Time, page app.PageRequest) (app.Page[todo.Invitation], error) {
	tx, err := db.read(ctx)
	if err != nil {
		return app.Page[todo.Invitation]{}, err
	}
	list, err := tx.list(db.seed, userID, ref)
	if err == nil && list.Role != todo.RoleOwner {
		err = todo.ErrNotListOwner
	}
	if err != nil {
		return app.Page[todo.Invitation]{}, translate(err)
	}
	const which = ` FROM invitations WHERE list_id = ?1 AND expires_at > ?2 AND EXISTS (SELECT 1 FROM lists WHERE id = ?1 AND owner_id = ?3)`
	return pageOf(ctx, db, page, `SELECT (SELECT count(*)`+which+`), `+invitationColumns+which+` ORDER BY id LIMIT ?4 OFFSET ?5`, `SELECT count(*)`+which,
		[]any{list.ID, millis(now), userID}, func(row Row, total *int64) (todo.Invitation, error) { return scanInvitation(row, total) })
}

// RevokeInvitation removes an invitation to a list of the caller's.
func (db *DB) RevokeInvitation(ctx context.Context, by app.Caller, ref todo.Ref, id int64) error {
	return db.write(ctx, db.as(by, func(tx *tx) error {
		list, err := tx.list(db.seed, by.UserID, ref)
		if err == nil && list.Role != todo.RoleOwner {
			err = todo.ErrNotListOwner
		}
		if err != nil {
			return err
		}
		n, err := tx.change(`DELETE FROM invitations WHERE id = ? AND list_id = ?`, id, list.ID)
		if err == nil && n == 0 {
			return todo.ErrInvitationNotFound
		}
		return err
	}))
}

// oneInvitation finds a good invitation (?1 its hash, ?2 now).
const oneInvitation = `SELECT i.list_id, l.name, coalesce((SELECT username FROM users WHERE id = i.created_by AND deleted_at IS NULL), ''), i.id, i.role, coalesce(i.email, ''), i.expires_at
	FROM invitations i JOIN lists l ON l.id = i.list_id WHERE i.hash = ?1 AND i.expires_at > ?2`

func (t *tx) invitation(hash string, now time.Time) (i todo.Invitation, list int64, err error) {
	var name, inviter string
	err = t.each(oneInvitation, []any{hash, millis(now)}, func(row Row) error {
		i, err = scanInvitation(row, &list, &name, &inviter)
		return err
	})
	if i.ListName, i.InvitedBy = name, inviter; err == nil && i.ID == 0 {
		err = todo.ErrInvitationNotFound
	}
	return i, list, err
}

// Invitation returns what an invitation is to.
func (db *DB) Invitation(ctx context.Context, hash string, now time.Time) (todo.Invitation, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return todo.Invitation{}, err
	}
	i, _, err := tx.invitation(hash, now)
	return i, translate(err)
}

// accept uses an invitation up for who gains by it: a newcomer, or a member who gets a higher
// role.
func (t *tx) accept(a act, list int64, i todo.Invitation) error {
	has, err := t.roleIn(list, a.by.UserID)
	switch {
	case err != nil || has >= i.Role:
		return err
	case has == todo.RoleNone:
		err = t.joinList(a, list, a.by.UserID, i.Role)
	default:
		err = t.setRole(a, list, a.by.UserID, i.Role)
	}
	if err != nil {
		return err
	}
	return t.exec(`DELETE FROM invitations WHERE id = ?`, i.ID)
}

// AcceptInvitation makes the caller a member, and uses the invitation up unless they have that role already.
func (db *DB) AcceptInvitation(ctx context.Context, by app.Caller, hash string, now time.Time) (todo.List, error) {
	var list todo.List
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		i, id, err := tx.invitation(hash, now)
		if err != nil {
			return err
		}
		if err := tx.accept(act{by, now}, id, i); err != nil {
			return err
		}
		list, err = tx.list(db.seed, by.UserID, todo.ByID(id))
		return err
	}))
	return list, err
}
