package api_test

import (
	"fmt"
	"strings"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/token"
)

// list makes a list of somebody's.
func (s *server) list(p person, name string) int64 {
	s.t.Helper()
	a := s.call("POST", "/lists/", p.access, fmt.Sprintf(`{"name":%q}`, name))
	if a.status != 201 {
		s.t.Fatalf("list: %d %s", a.status, a.text)
	}
	return a.id("list.id")
}

// taskIn makes a task in a list.
func (s *server) taskIn(p person, list int64, title string) answer {
	s.t.Helper()
	a := s.call("POST", "/tasks/", p.access, fmt.Sprintf(`{"title":%q,"list_id":%d}`, title, list))
	if a.status != 201 {
		s.t.Fatalf("task: %d %s", a.status, a.text)
	}
	return a
}

// listAttacks reach for lists of others, and misuse invitations to them.
func listAttacks() []attack {
	reach := func(method, path, body string, want int) attack {
		return attack{"ASVS 8.2.2", method + " " + path + " " + body + " of somebody else", func(s *server, v, thief person) answer {
			list := s.list(v, "private")
			task := s.taskIn(v, list, "secret")
			own := s.task(thief, "mine")
			fill := strings.NewReplacer("LIST", fmt.Sprint(list), "UID", task.str("task.uid"), "TASK", fmt.Sprint(task.id("task.id")), "OWN", fmt.Sprint(own), "THIEF", fmt.Sprint(thief.id), "VICTIM", fmt.Sprint(v.id))
			return s.call(method, fill.Replace(path), thief.access, fill.Replace(body))
		}, want}
	}
	return append([]attack{
		reach("GET", "/lists/LIST", "", 404), reach("PATCH", "/lists/LIST", `{"name":"x"}`, 404), reach("DELETE", "/lists/LIST", "", 404),
		reach("GET", "/lists/LIST/members", "", 404), reach("PATCH", "/lists/LIST/members/THIEF", `{"role":"owner"}`, 404), reach("DELETE", "/lists/LIST/members/VICTIM", "", 404),
		reach("POST", "/lists/LIST/invitations", `{"role":"editor"}`, 404), reach("GET", "/lists/LIST/invitations", "", 404), reach("POST", "/lists/LIST/restore", "", 404),
		reach("POST", "/lists/LIST/move", "", 404), reach("GET", "/tasks/?list_id=LIST", "", 404), reach("GET", "/tasks/?list_id=LIST&trash=true", "", 404),
		reach("GET", "/tasks/UID", "", 404), reach("PATCH", "/tasks/UID", `{"title":"x"}`, 404), reach("DELETE", "/tasks/UID?permanent=true", "", 404),
		reach("POST", "/tasks/", `{"title":"x","list_id":LIST}`, 404), reach("POST", "/tasks/", `{"title":"x","parent_id":TASK}`, 404), reach("POST", "/tasks/", `{"title":"x","uid":"UID"}`, 409),
		reach("PATCH", "/tasks/OWN", `{"list_id":LIST}`, 404), reach("PATCH", "/tasks/OWN", `{"parent_id":TASK}`, 404), reach("PATCH", "/tasks/OWN", `{"assignee_id":VICTIM}`, 422),
		reach("PATCH", "/tasks/OWN", `{"user_id":VICTIM}`, 403), reach("POST", "/tasks/OWN/move", `{"before_id":TASK}`, 422), reach("POST", "/tasks/OWN/move", `{"list_id":LIST}`, 404),
		reach("GET", "/tasks/?parent_id=TASK", "", 404), reach("POST", "/tasks/TASK/restore", "", 404), reach("POST", "/tasks/TASK/move", "", 404),
	}, invitationAttacks()...)
}

func invitationAttacks() []attack {
	accept := func(s *server, p person, token string) answer {
		return s.call("POST", "/invitations/accept", p.access, fmt.Sprintf(`{"token":%q}`, token))
	}
	return []attack{
		{"ASVS 6.5.1", "invitation used twice", func(s *server, v, thief person) answer {
			list := s.list(v, "l")
			token := s.invite(list, v, "editor")
			accept(s, s.signUp("guest"), token)
			return accept(s, thief, token)
		}, 404},
		{"ASVS 6.5.5", "invitation after 7 days", func(s *server, v, _ person) answer {
			token := s.invite(s.list(v, "l"), v, "editor")
			s.clock.advance(7 * 24 * 3600e9)
			return accept(s, s.signUp("late"), token)
		}, 404},
		{"ASVS 6.4.3", "invitation made under another key", func(s *server, v, thief person) answer {
			s.invite(s.list(v, "l"), v, "editor")
			codes, err := token.NewCodes([]byte(strings.Repeat("x", 32)), strings.NewReader(strings.Repeat("y", 16)))
			must(s.t, err)
			seed, _, err := codes.New()
			must(s.t, err)
			code, _ := codes.Code(seed)
			return accept(s, thief, code)
		}, 404},
		{"ASVS 6.5.2", "the seed that waits in the outbox as an invitation", func(s *server, v, thief person) answer {
			s.call("POST", fmt.Sprintf("/lists/%d/invitations", s.list(v, "l")), v.access, `{"role":"editor","email":"guest@example.com"}`)
			return accept(s, thief, s.mail(outbox.MailInvitation).Data["Seed"])
		}, 404},
		{"ASVS 6.4.3", "reset code as an invitation", func(s *server, v, thief person) answer { return accept(s, thief, s.forgot(v)) }, 404},
		{"ASVS 6.4.3", "invitation as a reset code", func(s *server, v, _ person) answer {
			return s.reset(s.invite(s.list(v, "l"), v, "editor"), "the thief's choice")
		}, 400},
		{"ASVS 8.2.1", "an editor makes themselves the owner", func(s *server, v, thief person) answer {
			list := s.list(v, "l")
			s.join(list, v, thief, "editor")
			return s.call("PATCH", fmt.Sprintf("/lists/%d/members/%d", list, thief.id), thief.access, `{"role":"owner"}`)
		}, 403},
		{"ASVS 8.2.1", "a viewer makes themselves an editor", func(s *server, v, thief person) answer {
			list := s.list(v, "l")
			s.join(list, v, thief, "viewer")
			return s.call("PATCH", fmt.Sprintf("/lists/%d/members/%d", list, thief.id), thief.access, `{"role":"editor"}`)
		}, 403},
		{"ASVS 8.2.1", "an API token for tasks invites", func(s *server, v, _ person) answer {
			list := s.list(v, "l")
			raw, _ := s.apiToken(v, app.ScopeTasksRead, app.ScopeTasksWrite)
			return s.call("POST", fmt.Sprintf("/lists/%d/invitations", list), raw, `{"role":"editor"}`)
		}, 403},
		{"ASVS 8.2.1", "an API token that reads makes a list", func(s *server, v, _ person) answer {
			raw, _ := s.apiToken(v, app.ScopeTasksRead)
			return s.call("POST", "/lists/", raw, `{"name":"x"}`)
		}, 403},
		{"ASVS 8.3.2", "a member who was removed changes a task", func(s *server, v, thief person) answer {
			list := s.list(v, "l")
			s.join(list, v, thief, "editor")
			task := s.taskIn(v, list, "t").id("task.id")
			s.call("DELETE", fmt.Sprintf("/lists/%d/members/%d", list, thief.id), v.access, "")
			return s.call("PATCH", fmt.Sprint("/tasks/", task), thief.access, `{"title":"x"}`)
		}, 404},
	}
}
