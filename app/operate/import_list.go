package operate

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"taskapi/app"
	"taskapi/app/todo"
)

// importedList is what became of a list of the source.
type importedList struct {
	id    int64 // ours; 0 if it was skipped
	owner int64 // our id of the owner
	// orphan says that its owner was skipped.
	orphan bool
}

// ownName is the name of a list of somebody's.
type ownName struct {
	owner int64
	name  string
}

// list takes one list with its members, or notes why not.
func (r *importRun) list(row ImportRow) error {
	p := app.Problems{}
	r.noteStrange("list", row, "id", "uid", "name", "color", "inbox", "owner_id", "date_created")
	id := importID(p, "id", row)
	if _, taken := r.lists[id]; taken {
		p.Add("id", "Another list of the source has it.")
		id = 0
	}
	r.last.List = max(r.last.List, id)
	owner, known := r.ids[importID(p, "owner_id", row)]
	list := ListRecord{ID: r.kept(id), OwnerID: owner, Inbox: importBool(p, "inbox", row), CreatedAt: importTime(p, "date_created", row)}
	if known && owner == 0 {
		r.skipList(row, id, importedList{orphan: true}, list.Inbox, "Its owner was skipped.")
		return nil
	}
	if !known {
		p.Add("owner_id", "There is no such user in the source.")
	}
	named := app.Problems{}
	if name := named.Text(todo.ListNameRule(true), row.text("name")); name != nil && named.Err() == nil {
		list.Name = *name
	} else if list.Inbox {
		list.Name = todo.InboxName
	} else {
		maps.Copy(p, named)
	}
	if problem := row.problem(p); problem != "" {
		r.skipList(row, id, importedList{}, false, problem)
		return nil
	}
	return r.addList(row, id, list)
}

// skipList notes why a list does not come. An Inbox goes without saying where its owner
// has gone.
func (r *importRun) skipList(row ImportRow, id int64, what importedList, quiet bool, why string) {
	if id != 0 {
		r.lists[id] = what
	}
	if !quiet {
		r.report.SkippedLists++
		r.Note(row.Where, "skipped. "+why)
	}
}

// addList stores a list that keeps the rules so far.
func (r *importRun) addList(row ImportRow, id int64, list ListRecord) (err error) {
	if list.CreatedAt.IsZero() {
		list.CreatedAt = r.now
	}
	if list.Color = strings.ToLower(row.Values["color"]); list.Color != "" && !todo.ValidColor(list.Color) {
		r.Note(row.Where, "came without its color: it must be of the form #2e7d32.")
		list.Color = ""
	}
	if list.Inbox {
		has, err := r.tx.Inbox(list.OwnerID)
		if err != nil {
			return err
		}
		if list.Inbox = has == 0; !list.Inbox {
			r.Note(row.Where, "came as another list: its owner has an Inbox already.")
		}
	}
	if list.UID, err = r.uid(row, todo.KindList, list.ID, list.OwnerID); err != nil {
		return err
	}
	stored, err := r.tx.AddList(list)
	if errors.Is(err, todo.ErrTooManyLists) {
		r.skipList(row, id, importedList{}, false, err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	r.lists[id] = importedList{id: stored, owner: list.OwnerID}
	if !list.Inbox {
		r.report.Lists++
	}
	list.ID = stored
	return r.members(row, list)
}

// uid returns the uid to store for a task or a list, none for one that is derived.
func (r *importRun) uid(row ImportRow, kind todo.Kind, id, owner int64) (string, error) {
	uid := row.Values["uid"]
	switch {
	case uid == "":
		return "", nil
	case !todo.ValidUID(uid):
		r.Note(row.Where, "got a new uid: it must have 1 to 255 characters on one line.")
		return "", nil
	}
	uid, free, err := r.tx.FreeUID(kind, id, owner, uid)
	if err == nil && !free {
		r.Note(row.Where, "got a new uid: the one that it had stands for something else here.")
	}
	return uid, err
}

// members takes those who are in a list, or notes why not.
func (r *importRun) members(row ImportRow, list ListRecord) error {
	seen := map[int64]bool{}
	for _, one := range row.Rows["members"] {
		p := app.Problems{}
		member := r.member(p, one, list)
		if seen[member.UserID] && member.UserID != 0 {
			p.Add("user_id", "They are in it twice.")
		}
		problem := one.problem(p)
		if problem == "" {
			seen[member.UserID] = true
			err := r.tx.AddMember(list.ID, member)
			switch {
			case errors.Is(err, todo.ErrListFull), errors.Is(err, todo.ErrTooManyLists):
				problem = err.Error()
			case err != nil:
				return err
			}
		}
		if problem != "" {
			r.Note(one.Where, "left out. "+problem)
		}
	}
	return nil
}

// member reads a membership.
func (r *importRun) member(p app.Problems, row ImportRow, list ListRecord) MemberRecord {
	user := r.person(p, "user_id", row)
	role, known := todo.ParseRole(row.Values["role"])
	switch owns := user == list.OwnerID; {
	case !known:
		p.Add("role", "It must be viewer, editor or owner.")
	case owns != (role == todo.RoleOwner):
		p.Add("role", "A list has one owner, whom its owner_id names.")
	case list.Inbox && !owns:
		p.Add("role", "An Inbox is nobody else's.")
	}
	m := MemberRecord{
		UserID: user, Role: role, Archived: importBool(p, "archived", row) && !list.Inbox, JoinedAt: importTime(p, "date_joined", row),
	}
	if m.JoinedAt.IsZero() {
		m.JoinedAt = list.CreatedAt
	}
	if text := row.Values["position"]; text != "" {
		if at, ok := importPosition(text); ok {
			m.Position = &at
		} else {
			r.Note(row.Where, "came without its position: it must be a whole number.")
		}
	}
	return m
}

// person returns our id of a user whom a row names; 0 with a problem.
func (r *importRun) person(p app.Problems, column string, row ImportRow) int64 {
	id := importID(p, column, row)
	user, known := r.ids[id]
	switch {
	case id != 0 && !known:
		p.Add(column, "There is no such user in the source.")
	case id != 0 && user == 0:
		p.Add(column, "That user was skipped.")
	}
	return user
}

// importPosition reads a position as the store can keep it.
func importPosition(text string) (int64, bool) {
	const most = 1<<53 - 1
	at, err := strconv.ParseInt(text, 10, 64)
	return at, err == nil && at >= -most && at <= most
}

// namedList returns the list of an owner with a name, which is made if it is not there.
// The Inbox has an empty name as well. Returns 0, noted, for a name that can't be.
func (r *importRun) namedList(row ImportRow, owner int64) (int64, error) {
	name := strings.TrimSpace(row.Values["list"])
	if name == "" || strings.EqualFold(name, todo.InboxName) {
		return r.tx.Inbox(owner)
	}
	if id, known := r.named[ownName{owner, name}]; known {
		return id, nil
	}
	p := app.Problems{}
	rule := todo.ListNameRule(true)
	rule.Name = "list"
	if p.Text(rule, app.Given(name)) == nil {
		r.Note(row.Where, fmt.Sprintf("came into the Inbox. %s", p.Err()))
		return 0, nil
	}
	id, err := r.tx.OwnList(owner, name)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		id, err = r.tx.AddList(ListRecord{Name: name, OwnerID: owner, CreatedAt: r.now})
		if errors.Is(err, todo.ErrTooManyLists) {
			r.Note(row.Where, "came into the Inbox. "+err.Error())
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		r.report.Lists++
	}
	r.named[ownName{owner, name}] = id
	return id, nil
}
