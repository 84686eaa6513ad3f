package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestTheTutorialsWalk is sections 10 and 11 of the tutorial, with the token
// of 10.3 shown again in 10.4 as it is printed there.
func TestTheTutorialsWalk(t *testing.T) {
	s := start(t)
	a := s.call("POST", "/auth/register", "", `{"username": "newuser", "email": "newuser@example.com", "password": "securepassword", "confirm_password": "securepassword"}`)
	if a.status != 201 || a.str("message") != "User registered successfully." || a.str("user.email") != "newuser@example.com" ||
		a.id("user.id") != 1 || a.str("user.username") != "newuser" || strings.Contains(a.text, "password") {
		t.Fatalf("register: %d %s", a.status, a.text)
	}
	a = s.call("POST", "/auth/login", "", `{"email": "newuser@example.com", "password": "securepassword"}`)
	access, refresh := a.str("access_token"), a.str("refresh_token")
	if a.status != 200 || a.str("message") != "Login successful." || access == "" || refresh == "" ||
		a.str("token_type") != "Bearer" || a.id("expires_in") != 900 {
		t.Fatalf("login: %d %s", a.status, a.text)
	}
	a = s.call("POST", "/tasks/", access, `{"title": "New Task", "user_id": 1}`)
	if a.status != 201 || a.str("message") != "Task created successfully." || a.str("task.description") != "" ||
		a.at("task.completed") != false || a.at("task.date_completed") != nil || a.id("task.user_id") != 1 || a.header.Get("Location") != "/tasks/1" {
		t.Fatalf("create: %d %s", a.status, a.text)
	}
	if _, err := time.Parse(time.RFC3339, a.str("task.date_created")); err != nil {
		t.Error(err)
	}
	a = s.call("GET", "/users/1", access, "")
	if a.status != 200 || a.str("email") != "newuser@example.com" {
		t.Fatalf("get user: %d %s", a.status, a.text)
	}
	a = s.call("GET", "/users/2", access, "")
	if a.status != 403 || a.str("error") != "Unauthorized access." {
		t.Fatalf("get another user: %d %s", a.status, a.text)
	}
	a = s.call("POST", "/auth/refresh", "", fmt.Sprintf(`{"refresh_token": %q}`, refresh))
	if a.status != 200 || a.str("access_token") == "" || a.str("refresh_token") == refresh || a.at("message") != nil {
		t.Fatalf("refresh: %d %s", a.status, a.text)
	}
	newAccess := a.str("access_token")
	a = s.call("POST", "/auth/logout", "", fmt.Sprintf(`{"refresh_token": %q}`, refresh))
	if a.status != 200 || a.str("message") != "Logout successful. Token revoked." {
		t.Fatalf("logout: %d %s", a.status, a.text)
	}
	a = s.call("POST", "/auth/logout", "", fmt.Sprintf(`{"refresh_token": %q}`, refresh))
	if a.status != 400 || a.str("error") != "Invalid or already revoked refresh token." {
		t.Fatalf("logout again: %d %s", a.status, a.text)
	}
	for _, token := range []string{access, newAccess} {
		if a = s.call("GET", "/tasks/", token, ""); a.status != http.StatusUnauthorized || a.str("error") != "Invalid token!" {
			t.Errorf("an access token outlived its session: %d %s", a.status, a.text)
		}
	}
}
