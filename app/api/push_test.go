package api_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
)

// aBrowser is the body that subscribes one.
func aBrowser(endpoint string) string {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf(`{"endpoint":%q,"expirationTime":null,"keys":{"p256dh":%q,"auth":%q}}`, endpoint,
		base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{7}, 16)))
}

// subscribe subscribes a browser of a person and returns its id.
func (s *server) subscribe(p person, endpoint string) int64 {
	s.t.Helper()
	a := s.call("POST", "/push/subscriptions", p.access, aBrowser(endpoint))
	if a.status != 201 {
		s.t.Fatalf("subscribe: %d %s", a.status, a.text)
	}
	return a.id("subscription.id")
}

// browsers are the endpoints of a person's subscriptions.
func (s *server) browsers(p person) string {
	s.t.Helper()
	a := s.call("GET", "/push/subscriptions", p.access, "")
	var all []string
	for _, one := range a.json["subscriptions"].([]any) {
		all = append(all, one.(map[string]any)["endpoint"].(string))
	}
	return strings.Join(all, " ")
}

func TestSubscriptions(t *testing.T) {
	s := start(t)
	ann, bob := s.signUp("ann"), s.signUp("bob")
	if a := s.call("GET", "/push/key", ann.access, ""); a.str("public_key") != "BKey" {
		t.Errorf("%d %s", a.status, a.text)
	}
	for i := range outbox.MaxSubscriptions {
		s.subscribe(ann, fmt.Sprint("https://push.example.com/", i))
	}
	if a := s.call("POST", "/push/subscriptions", ann.access, aBrowser("https://push.example.com/more")); a.status != 409 || a.str("code") != "too_many_subscriptions" {
		t.Errorf("one more: %d %s", a.status, a.text)
	}
	// One that is there is the same, with what is new of it.
	same := s.subscribe(ann, "https://push.example.com/3")
	if again := s.subscribe(s.login("ann"), "https://push.example.com/3"); again != same {
		t.Errorf("%d is now %d", same, again)
	}
	// Who uses the browser now gets what it shows.
	if s.subscribe(bob, "https://push.example.com/3"); s.browsers(bob) != "https://push.example.com/3" || strings.Contains(s.browsers(ann), "/3") {
		t.Errorf("%s, %s", s.browsers(bob), s.browsers(ann))
	}
	s.subscribe(ann, "https://push.example.com/more")
	if a := s.call("DELETE", fmt.Sprint("/push/subscriptions/", same), bob.access, ""); a.status != 200 || s.browsers(bob) != "" {
		t.Errorf("%d %s", a.status, a.text)
	}
	for _, id := range []string{fmt.Sprint(same), "0", "x", "999"} {
		if a := s.call("DELETE", "/push/subscriptions/"+id, bob.access, ""); a.status != 404 || a.str("code") != "subscription_not_found" {
			t.Errorf("%s: %d %s", id, a.status, a.text)
		}
	}
}

func TestSubscriptionsThatAreRefused(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for _, endpoint := range []string{
		"", "http://push.example.com/1", "https://", "https://127.0.0.1/1", "https://[::1]/1", "https://10.0.0.1:8443/", "https://localhost/1", "https://Localhost./1", "https://x.localhost/1",
		"https://ann:b@push.example.com/", "https://push.example.com/#x", "ftp://push.example.com/", "push.example.com", "https://push.example.com/" + strings.Repeat("x", 2000),
	} {
		if a := s.call("POST", "/push/subscriptions", ann.access, aBrowser(endpoint)); a.status != 422 || a.str("errors.endpoint") == "" {
			t.Errorf("%s: %d %s", endpoint, a.status, a.text)
		}
	}
	point := base64.RawURLEncoding.EncodeToString(append([]byte{4}, bytes.Repeat([]byte{1}, 64)...)) // not on the curve
	auth := base64.RawURLEncoding.EncodeToString(make([]byte, 16))
	for _, keys := range []string{
		`null`, `5`, `"x"`, `[]`, `{}`, `{"p256dh":"AAAA","auth":"` + auth + `"}`, `{"p256dh":"` + point + `","auth":"` + auth + `"}`, `{"p256dh":5,"auth":"` + auth + `"}`, `{"p256dh":{"a":"b"}}`, `[{"p256dh":"x","auth":"y"}]`,
		strings.Replace(keysOf(aBrowser("")), "BwcHBwcHBwcHBwcHBwcHBw", "BwcHBwcHBwcHBwcHBwcH", 1),
	} {
		if a := s.call("POST", "/push/subscriptions", ann.access, `{"endpoint":"https://push.example.com/1","keys":`+keys+`}`); a.status != 422 || a.str("errors.keys") == "" {
			t.Errorf("%s: %d %s", keys, a.status, a.text)
		}
	}
	if a := s.call("POST", "/push/subscriptions", ann.access, `[]`); a.status != 400 {
		t.Errorf("%d %s", a.status, a.text)
	}
	raw, _ := s.apiToken(ann, app.ScopeAccount, app.ScopeTasksRead, app.ScopeTasksWrite)
	for _, route := range [][3]string{{"GET", "/push/key"}, {"GET", "/push/subscriptions"}, {"POST", "/push/subscriptions", aBrowser("https://push.example.com/1")}, {"DELETE", "/push/subscriptions/1"}} {
		if a := s.call(route[0], route[1], raw, route[2]); a.status != 403 || a.str("code") != "session_required" {
			t.Errorf("%s %s with an API token: %d %s", route[0], route[1], a.status, a.text)
		}
	}
}

func keysOf(body string) string {
	return strings.TrimSuffix(body[strings.Index(body, `"keys":`)+len(`"keys":`):], "}")
}

// A browser shows reminders for as long as its session lasts.
func TestSubscriptionsGoWithTheirSession(t *testing.T) {
	for name, end := range map[string]func(s *server, ann person){
		"signed out": func(s *server, ann person) {
			s.call("POST", "/auth/logout", "", fmt.Sprintf(`{"refresh_token":%q}`, ann.refresh))
		},
		"signed out from elsewhere": func(s *server, ann person) {
			s.call("DELETE", "/auth/sessions/"+sessionOf(s.t, ann), s.login("ann").access, "")
		},
		"signed out everywhere": func(s *server, ann person) { s.call("POST", "/auth/logout-all", ann.access, "{}") },
		"expired":               func(s *server, _ person) { s.clock.advance(8 * 24 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			ann := s.signUp("ann")
			s.subscribe(ann, "https://push.example.com/1")
			s.fire()
			if end(s, ann); s.browsers(s.login("ann")) != "" {
				t.Error("it is still subscribed")
			}
			ann = s.login("ann")
			s.made(ann, `{"title":"t","reminders":[{"at":%q}]}`, s.clock.Now().UTC().Format(time.RFC3339))
			s.fire()
			due, _, err := s.db.DuePushes(t.Context(), s.clock.Now(), 10)
			must(t, err)
			for _, one := range due { // of an expired session that was not removed yet
				if _, found, err := s.db.Push(t.Context(), one.ID, s.clock.Now()); found || err != nil {
					t.Errorf("it is still pushed to: %v", err)
				}
			}
		})
	}
}
