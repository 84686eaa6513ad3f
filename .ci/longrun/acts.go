package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// mostTasks is how many tasks a person keeps: above it, more go than come, so that a long run
// ends with as much in the database as it had after a few minutes.
const mostTasks = 200

// act is one of the things that people do, and how often.
type act struct {
	weight int
	do     func(*person)
}

func acts() []act {
	return []act{
		{150, (*person).create}, {90, (*person).read}, {120, (*person).edit}, {80, (*person).complete}, {50, (*person).move},
		{70, (*person).remove}, {35, (*person).restore}, {90, (*person).purge}, {2, (*person).emptyTrash}, {40, (*person).undo},
		{90, (*person).find}, {60, (*person).page}, {30, (*person).overview}, {70, (*person).sync}, {40, (*person).batch},
		{12, (*person).share}, {30, (*person).propfind}, {30, (*person).report}, {40, (*person).put}, {20, (*person).deleteObject},
		{30, (*person).askAssistant}, {20, (*person).tellAssistant}, {10, (*person).renew}, {4, (*person).signIn},
	}
}

func (p *person) create() {
	list := p.pick(p.lists)
	task := map[string]any{"title": fmt.Sprintf("task %d of %s", p.rng.IntN(1000), p.email), "list_id": list, "labels": []string{fmt.Sprint("l", p.rng.IntN(8))}}
	if p.chance(20) {
		task["description"] = strings.Repeat("what is to be done ", 10+p.rng.IntN(200))
	}
	if p.chance(20) {
		task["due"], task["due_zone"] = time.Now().AddDate(0, 0, p.rng.IntN(30)-3).Format("2006-01-02T15:04"), "Europe/Berlin"
		if p.chance(50) {
			task["recurrence"] = "FREQ=DAILY;INTERVAL=2"
		}
	}
	if p.chance(2) {
		task["reminders"] = []map[string]string{{"at": time.Now().Add(time.Second).UTC().Format(time.RFC3339)}}
	}
	if parent := p.pick(p.tasks); p.chance(5) && parent != 0 {
		task["parent_id"] = parent
		delete(task, "list_id")
	}
	var key []string
	if p.chance(40) {
		key = []string{"Idempotency-Key", fmt.Sprintf("%d-%x", p.number, p.rng.Uint64())}
	}
	a := p.call("create", "POST", "/tasks/", task, key...)
	if a.status != http.StatusCreated {
		return
	}
	p.wrote(a)
	// What is below a task of a friend is neither told nor answered again to who has left the list.
	if p.hook != 0 && task["parent_id"] == nil {
		p.r.hooks.owe(p.number, a.change())
	}
	if p.tasks = append(p.tasks, a.Task.ID); task["recurrence"] != nil {
		p.repeats = append(p.repeats, a.Task.ID)
	}
	if key == nil || task["parent_id"] != nil || p.chance(70) {
		return
	}
	again := p.call("create again", "POST", "/tasks/", task, key...)
	if limited := again.status == http.StatusServiceUnavailable; !limited && (again.Task.ID != a.Task.ID || again.header.Get("Idempotency-Replayed") == "") {
		p.r.faults.add("a request that is sent again was done again: %d %s", again.status, again.text)
	}
}

// wrote remembers the change of a write, to undo it later.
func (p *person) wrote(a answer) {
	if n := a.change(); n != 0 {
		if p.changes = append(p.changes, n); len(p.changes) > 20 {
			p.changes = p.changes[1:]
		}
	}
}

// gone forgets a task that the server does not show.
func (p *person) gone(id int64) {
	kept := p.tasks[:0]
	for _, one := range p.tasks {
		if one != id {
			kept = append(kept, one)
		}
	}
	p.tasks = kept
}

// onTask does something about one of the tasks, which may be gone, since others share it.
func (p *person) onTask(name, method, suffix string, body any) (id int64, a answer) {
	if id = p.pick(p.tasks); id == 0 {
		return 0, a
	}
	a = p.call(name, method, fmt.Sprintf("/tasks/%d%s", id, suffix), body)
	if a.status == http.StatusNotFound {
		p.gone(id)
	}
	if method != "GET" && a.status == http.StatusOK {
		p.wrote(a)
	}
	return id, a
}

func (p *person) read() {
	id, a := p.onTask("read", "GET", "", nil)
	if tag := a.header.Get("ETag"); tag != "" && p.chance(50) {
		p.call("read again", "GET", fmt.Sprintf("/tasks/%d", id), nil, "If-None-Match", tag)
	}
}

func (p *person) edit() {
	change := map[string]any{"title": fmt.Sprint("changed ", p.rng.IntN(1000)), "priority": []string{"none", "low", "high"}[p.rng.IntN(3)]}
	if p.chance(30) {
		change = map[string]any{"description": strings.Repeat("more words ", p.rng.IntN(100)), "labels_add": []string{"seen"}}
	}
	if !p.chance(30) {
		p.onTask("edit", "PATCH", "", change)
		return
	}
	id, a := p.onTask("read", "GET", "", nil)
	if a.status == http.StatusOK {
		p.wrote(p.call("edit if unchanged", "PATCH", fmt.Sprintf("/tasks/%d", id), change, "If-Match", a.header.Get("ETag")))
	}
}

func (p *person) complete() {
	if id := p.pick(p.repeats); id != 0 && p.chance(40) {
		a := p.call("complete a repetition", "PATCH", fmt.Sprintf("/tasks/%d", id), `{"completed":true}`)
		if p.wrote(a); a.status != http.StatusOK || len(p.repeats) > 10 {
			p.repeats = p.repeats[1:]
		}
		return
	}
	p.onTask("complete", "PATCH", "", map[string]bool{"completed": p.chance(70)})
}

func (p *person) move() {
	body := map[string]any{"list_id": p.pick(p.lists)}
	p.onTask("move", "POST", "/move", body)
}

func (p *person) remove() {
	id, a := p.onTask("delete", "DELETE", "", nil)
	if a.status != http.StatusOK {
		return
	}
	p.gone(id)
	if p.trash = append(p.trash, id); len(p.trash) > 50 {
		p.trash = p.trash[1:]
	}
}

func (p *person) restore() {
	id := p.pick(p.trash)
	if id == 0 {
		return
	}
	a := p.call("restore", "POST", fmt.Sprintf("/tasks/%d/restore", id), nil)
	if p.wrote(a); a.status == http.StatusOK {
		p.gone(id)
		p.tasks = append(p.tasks, id)
	}
}

// purge keeps the number of tasks where it is.
func (p *person) purge() {
	for range 3 {
		if len(p.tasks) < mostTasks {
			return
		}
		if id, a := p.onTask("delete for good", "DELETE", "?permanent=true", nil); a.status == http.StatusOK {
			p.gone(id)
		}
	}
}

func (p *person) emptyTrash() {
	p.call("empty the trash", "DELETE", "/trash", nil)
	p.trash = nil
}

func (p *person) undo() {
	if n := p.pick(p.changes); n != 0 {
		p.wrote(p.call("undo", "POST", "/undo", map[string]int64{"change": n}))
	}
}

func (p *person) find() {
	query := []string{
		"q=task", "q=what+done", fmt.Sprintf("label=l%d&completed=false", p.rng.IntN(8)), "view=today&time_zone=Europe/Berlin", "scope=all&sort=-updated",
		"view=upcoming", "trash=true", "sort=due&per_page=50", fmt.Sprintf("list_id=%d&sort=position", p.pick(p.lists)),
	}
	p.call("find", "GET", "/tasks/?"+query[p.rng.IntN(len(query))], nil)
}

func (p *person) page() {
	if p.chance(50) {
		p.call("page", "GET", fmt.Sprintf("/tasks/?page=%d&per_page=20", 1+p.rng.IntN(5)), nil)
		return
	}
	after, scope := "0", []string{"own", "all"}[p.rng.IntN(2)]
	for range 3 {
		a := p.call("walk", "GET", "/tasks/?per_page=30&scope="+scope+"&after="+url.QueryEscape(after), nil)
		after = strings.Trim(string(a.Pagination.NextAfter), `"`)
		for _, task := range a.Tasks { // what others have put into shared lists, undo has made, or an assistant
			if p.chance(10) {
				p.gone(task.ID)
				p.tasks = append(p.tasks, task.ID)
			}
		}
		if after == "" || after == "null" {
			return
		}
	}
}

func (p *person) overview() {
	paths := []string{"/tasks/counts?time_zone=Europe/Berlin", "/lists/", "/labels/", "/users/me", "/auth/sessions", fmt.Sprintf("/lists/%d/members", p.shared), "/users/me/audit"}
	p.call("overview", "GET", paths[p.rng.IntN(len(paths))], nil)
	if p.hook != 0 && p.chance(20) {
		p.call("deliveries", "GET", fmt.Sprintf("/webhooks/%d/deliveries", p.hook), nil)
	}
}

func (p *person) sync() {
	if p.chance(2) {
		p.cursor = ""
	}
	for range 10 {
		path := "/sync"
		if p.cursor != "" {
			path += "?since=" + p.cursor
		}
		a := p.call("sync", "GET", path, nil)
		if a.status == http.StatusGone { // the log does not reach back so far
			p.cursor = ""
			continue
		}
		if a.status != http.StatusOK {
			return
		}
		if p.cursor = a.Cursor; !a.More {
			return
		}
	}
}

func (p *person) batch() {
	requests := []map[string]any{}
	for range 1 + p.rng.IntN(8) {
		requests = append(requests, map[string]any{"method": "POST", "path": "/tasks/", "body": map[string]any{"title": "one of many", "list_id": p.pick(p.lists)}})
	}
	if id := p.pick(p.tasks); id != 0 {
		requests = append(requests, map[string]any{"method": "PATCH", "path": fmt.Sprintf("/tasks/%d", id), "body": map[string]bool{"completed": true}})
	}
	a := p.call("batch", "POST", "/batch", map[string]any{"requests": requests, "atomic": p.chance(50)})
	if p.wrote(a); p.hook == 0 || a.status != http.StatusOK {
		return
	}
	for i, one := range a.Responses {
		if requests[i]["method"] == "POST" {
			p.r.hooks.owe(p.number, one.Change)
		}
	}
}

// gaveUp reports whether the deliveries of the webhook say that a message is dead.
func (p *person) gaveUp(change int64) bool {
	for page := 1; ; page++ {
		var answer struct {
			Deliveries []struct {
				Seq  int64
				Dead bool
			}
			Pagination struct {
				HasNext bool `json:"has_next"`
			}
		}
		a := p.call("deliveries", "GET", fmt.Sprintf("/webhooks/%d/deliveries?per_page=100&page=%d", p.hook, page), nil)
		if err := json.Unmarshal(a.text, &answer); err != nil {
			return false
		}
		for _, one := range answer.Deliveries {
			if one.Seq == change {
				return one.Dead
			}
		}
		if !answer.Pagination.HasNext {
			return false
		}
	}
}

// share invites the friend, who comes; or throws the friend out again.
func (p *person) share() {
	invitation := map[string]string{"role": []string{"editor", "viewer"}[p.rng.IntN(2)]}
	if p.chance(20) {
		invitation["email"] = p.friend.email
	}
	a := p.call("invite", "POST", fmt.Sprintf("/lists/%d/invitations", p.shared), invitation)
	if a.status != http.StatusCreated {
		return
	}
	path := fmt.Sprintf("/lists/%d/invitations/%d", p.shared, a.Invitation.ID)
	if p.chance(30) {
		p.call("revoke", "DELETE", path, nil)
		return
	}
	_, token, _ := strings.Cut(a.Invitation.URL, "#")
	p.friend.call("look at an invitation", "GET", "/invitations/"+token, nil)
	p.friend.call("accept", "POST", "/invitations/accept", map[string]string{"token": token})
	p.call(leftOver, "DELETE", path, nil) // who is a member already does not use it up
	a = p.call("members", "GET", fmt.Sprintf("/lists/%d/members", p.shared), nil)
	if p.chance(50) {
		return
	}
	var members struct {
		Members []struct {
			UserID int64 `json:"user_id"`
			Role   string
		}
	}
	_ = json.Unmarshal(a.text, &members)
	for _, member := range members.Members {
		if member.Role != "owner" {
			p.call("part", "DELETE", fmt.Sprintf("/lists/%d/members/%d", p.shared, member.UserID), nil)
		}
	}
}
