package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/password"
)

func TestAPartialUpdateErasesNothing(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	s.call("POST", "/tasks/", ann.access, `{"title":"title","description":"text\n\twith lines","completed":true}`)
	before := s.call("GET", "/tasks/1", ann.access, "")
	for _, body := range []string{`{}`, `{"title":null,"description":null,"completed":null,"user_id":null}`, `{"completed":true}`, `{"title":" title "}`, fmt.Sprintf(`{"user_id":%d}`, ann.id)} {
		for _, method := range []string{"PUT", "PATCH"} {
			if a := s.call(method, "/tasks/1", ann.access, body); a.status != 200 || !strings.Contains(a.text, strings.TrimSpace(before.text)) {
				t.Errorf("%s %s: %d %s, before %s", method, body, a.status, a.text, before.text)
			}
		}
	}
	if a := s.call("PUT", "/tasks/1", ann.access, `{"description":""}`); a.at("task.description") != "" || a.str("task.title") != "title" {
		t.Errorf("emptied: %s", a.text)
	}
}

func TestWhenATaskWasCompleted(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	s.task(ann, "t")
	put := func(body string) any {
		s.clock.advance(time.Minute)
		return s.call("PUT", "/tasks/1", ann.access, body).at("task.date_completed")
	}
	first := put(`{"completed":true}`)
	if again := put(`{"completed":true,"title":"u"}`); first == nil || again != first {
		t.Errorf("moved from %v to %v", first, again)
	}
	if open := put(`{"completed":false}`); open != nil {
		t.Errorf("open, but completed at %v", open)
	}
	if second := put(`{"completed":true}`); second == nil || second == first {
		t.Errorf("completed again at %v, before at %v", second, first)
	}
}

func TestWhoseTaskItIs(t *testing.T) {
	s := start(t)
	admin, ann, bob := s.admin(), s.signUp("ann"), s.signUp("bob")
	for _, c := range []struct {
		name, method, path, token, body string
		status                          int
		want                            string
	}{
		{"for another", "POST", "/tasks/", ann.access, fmt.Sprintf(`{"title":"t","user_id":%d}`, bob.id), 403, "Unauthorized access."},
		{"for nobody", "POST", "/tasks/", ann.access, `{"title":"t","user_id":999}`, 403, "Unauthorized access."},
		{"for another, by an admin", "POST", "/tasks/", admin.access, fmt.Sprintf(`{"title":"t","user_id":%d}`, bob.id), 201, fmt.Sprintf(`"user_id":%d`, bob.id)},
		{"for nobody, by an admin", "POST", "/tasks/", admin.access, `{"title":"t","user_id":999}`, 422, "The specified user_id does not exist."},
		{"for a huge id, by an admin", "POST", "/tasks/", admin.access, `{"title":"t","user_id":99999999999999999999}`, 422, "The specified user_id does not exist."},
		{"given away", "PUT", "/tasks/1", bob.access, fmt.Sprintf(`{"user_id":%d}`, ann.id), 403, "Unauthorized access."},
		{"a stranger's, badly", "PUT", "/tasks/1", ann.access, `{"title":"","user_id":1}`, 404, "Task not found."},
		{"moved by an admin", "PUT", "/tasks/1", admin.access, fmt.Sprintf(`{"user_id":%d}`, ann.id), 200, fmt.Sprintf(`"user_id":%d`, ann.id)},
		{"moved to nobody", "PUT", "/tasks/1", admin.access, `{"user_id":999}`, 422, "The specified user_id does not exist."},
		{"another's list", "GET", fmt.Sprint("/tasks/?user_id=", ann.id), bob.access, "", 403, "Unauthorized access."},
		{"another's list, by an admin", "GET", fmt.Sprint("/tasks/?user_id=", ann.id), admin.access, "", 200, `"total":1`},
		{"an admin's own list", "GET", "/tasks/", admin.access, "", 200, `"total":0`},
		{"no id", "GET", "/tasks/?user_id=x", admin.access, "", 400, "invalid_user_id"},
	} {
		if a := s.call(c.method, c.path, c.token, c.body); a.status != c.status || !strings.Contains(a.text, c.want) {
			t.Errorf("%s: %d %s", c.name, a.status, a.text)
		}
	}
}

func TestWhoSeesWhichUsers(t *testing.T) {
	s := start(t)
	admin, ann := s.admin(), s.signUp("ann")
	if a := s.call("GET", "/users/", admin.access, ""); a.id("pagination.total") != 2 || strings.Contains(a.text, "argon2") {
		t.Errorf("the admin: %s", a.text)
	}
	if a := s.call("GET", "/users/", ann.access, ""); a.id("pagination.total") != 1 || !strings.Contains(a.text, "ann@example.com") || strings.Contains(a.text, "admin@") {
		t.Errorf("ann: %s", a.text)
	}
	if a := s.call("GET", "/users/?page=2", ann.access, ""); a.status != 200 || strings.Contains(a.text, "ann@") {
		t.Errorf("ann's second page: %s", a.text)
	}
	if a := s.call("GET", "/users/999", admin.access, ""); a.status != 404 || a.str("error") != "User not found." {
		t.Errorf("nobody: %s", a.text)
	}
}

func TestChangingAnAccount(t *testing.T) {
	s := start(t)
	admin, ann := s.admin(), s.signUp("ann")
	self := fmt.Sprint("/users/", ann.id)
	for _, c := range []struct {
		name, token, body string
		status            int
		want              string
	}{
		{"a name", ann.access, `{"username":" new name "}`, 200, `"username":"new name"`},
		{"the same address", ann.access, `{"email":"ann@example.com"}`, 200, "ann@example.com"},
		{"an address without a password", ann.access, `{"email":"ann2@example.com"}`, 422, "The field current_password is required."},
		{"an address with a wrong one", ann.access, `{"email":"ann2@example.com","current_password":"wrong"}`, 422, "The current password is incorrect."},
		{"somebody's address", ann.access, `{"email":"ADMIN@example.com","current_password":"` + testPassword + `"}`, 422, "The email is already registered."},
		{"a password without", ann.access, `{"password":"another password"}`, 422, "The field current_password is required."},
		{"a repetition that differs", ann.access, `{"password":"another password","confirm_password":"x","current_password":"` + testPassword + `"}`, 422, "Passwords do not match."},
		{"an empty password", ann.access, `{"password":"","current_password":"` + testPassword + `"}`, 422, "The field password is required."},
		{"an address", ann.access, `{"email":"Ann2@example.com","current_password":"` + testPassword + `"}`, 200, "Ann2@example.com"},
		{"by an admin", admin.access, `{"email":"ann@example.com"}`, 200, "ann@example.com"},
	} {
		if a := s.call("PUT", self, c.token, c.body); a.status != c.status || !strings.Contains(a.text, c.want) {
			t.Errorf("%s: %d %s", c.name, a.status, a.text)
		}
	}
}

func TestAChangedPasswordEndsTheOtherSessionsAtOnce(t *testing.T) {
	s := start(t)
	admin, here := s.admin(), s.signUp("ann")
	there := s.login("ann")
	self := fmt.Sprint("/users/", here.id)
	if a := s.call("PUT", self, here.access, `{"password":"another password","current_password":"`+testPassword+`"}`); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := s.call("GET", "/tasks/", here.access, ""); a.status != 200 {
		t.Errorf("the own session: %d %s", a.status, a.text)
	}
	if a := s.call("GET", "/tasks/", there.access, ""); a.status != 401 {
		t.Errorf("the other session: %d %s", a.status, a.text)
	}
	if a := s.call("POST", "/auth/refresh", "", fmt.Sprintf(`{"refresh_token":%q}`, there.refresh)); a.status != 401 {
		t.Errorf("the other refresh token: %d %s", a.status, a.text)
	}
	if a := s.call("PUT", self, admin.access, `{"password":"a third password"}`); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := s.call("GET", "/tasks/", here.access, ""); a.status != 401 {
		t.Errorf("after the admin's change: %d %s", a.status, a.text)
	}
}

func TestAChangedRoleCountsAtOnce(t *testing.T) {
	s := start(t)
	s.admin()
	ann := s.signUp("ann")
	_, err := s.db.SetRole(t.Context(), ann.id, app.RoleAdmin, account.Record{})
	must(t, err)
	if a := s.call("GET", "/tasks/", ann.access, ""); a.status != 401 {
		t.Errorf("a token from before the promotion: %d %s", a.status, a.text)
	}
	ann = s.login("ann")
	if a := s.call("GET", "/users/", ann.access, ""); a.id("pagination.total") != 2 {
		t.Errorf("as an admin: %s", a.text)
	}
	_, err = s.db.SetRole(t.Context(), ann.id, app.RoleUser, account.Record{})
	must(t, err)
	if a := s.call("GET", "/users/", ann.access, ""); a.status != 401 {
		t.Errorf("a token from before the demotion: %d %s", a.status, a.text)
	}
}

func TestDeletingUsers(t *testing.T) {
	s := start(t)
	admin, ann := s.admin(), s.signUp("ann")
	s.task(ann, "t")
	s.login("ann")
	if a := s.call("DELETE", fmt.Sprint("/users/", ann.id), ann.access, ""); a.status != 200 || a.str("message") != "User deleted successfully." {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := s.call("DELETE", fmt.Sprint("/users/", ann.id), admin.access, ""); a.status != 404 {
		t.Errorf("twice: %d %s", a.status, a.text)
	}
	if a := s.call("DELETE", fmt.Sprint("/users/", admin.id), admin.access, ""); a.status != 409 || a.str("code") != "last_admin" {
		t.Errorf("the only admin: %d %s", a.status, a.text)
	}
}

func TestClosedRegistration(t *testing.T) {
	s := start(t)
	admin, ann := s.admin(), s.signUp("ann")
	s.users.RegistrationOpen = false
	body := `{"username":"n","email":"n@example.com","password":"` + testPassword + `","confirm_password":"` + testPassword + `"}`
	for _, path := range []string{"/auth/register", "/users/"} {
		for _, token := range []string{"", ann.access} {
			if a := s.call("POST", path, token, body); a.status != 403 || a.str("code") != "registration_closed" {
				t.Errorf("%s: %d %s", path, a.status, a.text)
			}
		}
	}
	if a := s.call("POST", "/users/", admin.access, body); a.status != 201 || a.str("message") != "User created successfully." {
		t.Errorf("by an admin: %d %s", a.status, a.text)
	}
}

func TestSigningInTellsNothing(t *testing.T) {
	s := start(t)
	s.register("ann")
	wrong := s.call("POST", "/auth/login", "", `{"email":"ann@example.com","password":"wrong password"}`)
	unknown := s.call("POST", "/auth/login", "", `{"email":"nobody@example.com","password":"wrong password"}`)
	if wrong.status != 401 || wrong.text != unknown.text || wrong.str("error") != "Invalid email or password." {
		t.Errorf("%d %s, %d %s", wrong.status, wrong.text, unknown.status, unknown.text)
	}
	if a := s.call("POST", "/auth/login", "", `{"email":" ANN@Example.com ","password":"`+testPassword+`"}`); a.status != 200 {
		t.Errorf("in capitals: %d %s", a.status, a.text)
	}
}

func TestAnOldHashIsRenewedAtTheNextLogin(t *testing.T) {
	s := start(t)
	id := s.register("ann")
	newer, err := password.New(password.Options{Params: password.Params{Memory: 128, Iterations: 2, Parallelism: 1}})
	must(t, err)
	// The same database behind a server of today's parameters.
	today := start(t, func(p *parts) {
		p.users.Store, p.users.Passwords = s.db, newer
		p.sessions.Store, p.sessions.Passwords = s.db, newer
	})
	today.db = s.db
	before, err := s.db.User(t.Context(), id)
	must(t, err)
	today.login("ann")
	after, err := s.db.User(t.Context(), id)
	must(t, err)
	if before.PasswordHash == after.PasswordHash || !strings.Contains(after.PasswordHash, "m=128,t=2") {
		t.Errorf("before %s, after %s", before.PasswordHash, after.PasswordHash)
	}
	today.login("ann")
	if same, err := s.db.User(t.Context(), id); err != nil || same.PasswordHash != after.PasswordHash {
		t.Errorf("renewed again: %v", err)
	}
}
