package operate

import (
	"fmt"
	"strings"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/password"
)

// user takes one user, or notes why not.
func (r *importRun) user(row ImportRow) error {
	p := app.Problems{}
	id := importID(p, "id", row)
	name := p.Text(account.UsernameRule(true), row.text("username"))
	address := p.Email(true, row.text("email"))
	created := importTime(p, "date_created", row)
	if _, taken := r.ids[id]; taken {
		p.Add("id", "Another user of the source has it.")
		id = 0
	}
	if address != nil {
		owner, err := r.tx.EmailOwner(*address)
		if err != nil {
			return err
		}
		if owner != 0 {
			p.Add("email", r.takenBy(owner))
		}
	}
	r.last.User = max(r.last.User, id)
	r.noteStrange("user", row, "id", "username", "email", "password", "role", "date_created", "time_zone")
	if problem := row.problem(p); problem != "" {
		r.report.SkippedUsers++
		if id != 0 {
			r.ids[id] = 0
		}
		r.Note(row.Where, "skipped. "+problem)
		return nil
	}
	if created.IsZero() {
		created = r.now // the tutorial keeps no such date
	}
	if *name != row.Values["username"] || *address != row.Values["email"] {
		r.report.Repaired++
	}
	hash, err := r.password(row)
	if err != nil {
		return err
	}
	if role := row.Values["role"]; role != "" && role != string(app.RoleUser) {
		r.report.Admins++
	}
	user := account.NewUser{Username: *name, Email: *address, PasswordHash: hash, Role: app.RoleUser, CreatedAt: created, TimeZone: r.timeZone(row)}
	record := account.RecordOf(account.EventOf(app.Operator(), account.EventUserCreated, 0, r.now, "imported"))
	stored, err := r.tx.AddUser(r.kept(id), user, record)
	r.ids[id] = stored
	if r.report.Users++; r.report.Users == 1 {
		r.firstUser = stored
	}
	return err
}

// timeZone returns the time zone of a user, empty for UTC.
func (r *importRun) timeZone(row ImportRow) string {
	zone := strings.TrimSpace(row.Values["time_zone"])
	if zone != "" && !app.IsTimeZone(zone) {
		r.Note(row.Where, "came without a time zone: it must be one such as Europe/Berlin.")
		return ""
	}
	return zone
}

// password returns the hash to store: the source's if we can check it, else
// one that no password matches.
func (r *importRun) password(row ImportRow) (string, error) {
	hash := row.Values["password"]
	if hash != "" && password.Usable(hash) == nil {
		return hash, nil
	}
	if hash != "" {
		r.Note(row.Where, "came without a password: its hash is of a kind that can't be checked here.")
	}
	r.report.NoPassword++
	return password.NoPassword()
}

// takenBy says where the user with an address came from. New ids only grow, so an
// id from firstUser on was given by this import.
func (r *importRun) takenBy(owner int64) string {
	if r.report.KeptIDs || r.firstUser != 0 && owner >= r.firstUser {
		return "Another user of the source has the same address."
	}
	return fmt.Sprintf("User %d here has the same address.", owner)
}
