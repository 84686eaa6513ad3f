package todo

import (
	"context"
	"regexp"
	"strings"
	"time"

	"taskapi/app"
)

// Limits of lists.
const (
	MaxListName    = 100 // characters
	MaxOwnLists    = 500
	MaxJoinedLists = 500
	MaxMembers     = 50 // a list
	MaxInvitations = 20 // open ones of a list
)

// InboxName is what the list is called that every user has.
const InboxName = "Inbox"

// List is a list of tasks as one of its members sees it.
type List struct {
	ID int64
	// UID is the one that its client chose; empty for a derived one.
	UID     string
	OwnerID int64
	Name    string
	Color   string // #rrggbb; empty without one
	Inbox   bool
	// Role, Position and Archived are the reader's own.
	Role     Role
	Position int64
	Archived bool
	// Members and Open, the number of open tasks, are of the moment of reading.
	Members, Open        int64
	CreatedAt, UpdatedAt time.Time
	// Version is the number of the last change of the list and its members, OwnVersion
	// that of the reader's own part.
	Version, OwnVersion int64
}

// Stamp is what a reader knows the list by.
func (l List) Stamp() Stamp { return Stamp{l.Version, l.OwnVersion} }

// ListInput is what a client says of a list. Null clears the color.
type ListInput struct {
	Name, Color, UID app.Field[string]
	Archived         app.Field[bool]
	// Merge says that null removes, wherever it stands (RFC 7396).
	Merge bool
	Match *Match
}

// NewList is a checked list that has no id yet.
type NewList struct {
	Name, Color, UID string
	CreatedAt        time.Time
	// Order is its place among the lists of its maker; nil for the last.
	Order *int64
	// Anew says that one of the same uid in the trash is not in the way.
	Anew bool
}

// ListChange is a checked partial update. Nil leaves the value as it is.
type ListChange struct {
	Name     *string
	Color    *string // empty: none
	Archived *bool
	// Order is its place among the caller's own lists.
	Order *int64
	Match *Match
	Now   time.Time
}

// Shared reports whether the change changes what is everybody's in a list.
func (c ListChange) Shared(list List) bool {
	return c.Name != nil && *c.Name != list.Name || c.Color != nil && *c.Color != list.Color
}

// ListStore keeps lists. A list that the caller is no member of does not exist:
// ErrListNotFound. Where a Match does not hold, the list as it is comes back with
// ErrListChanged.
type ListStore interface {
	// CreateList returns the list that has the uid already with ErrExists.
	CreateList(ctx context.Context, by app.Caller, list NewList) (List, error)
	List(ctx context.Context, userID int64, ref Ref) (List, error)
	// Lists returns those that are archived, those that are not or, with nil, all.
	Lists(ctx context.Context, userID int64, archived *bool, page app.PageRequest) (app.Page[List], error)
	UpdateList(ctx context.Context, by app.Caller, ref Ref, change ListChange) (List, error)
	MoveList(ctx context.Context, by app.Caller, ref Ref, place Place, match *Match, at time.Time) (List, error)
	// DeleteList moves a list with all its tasks to the trash, or removes it for good.
	DeleteList(ctx context.Context, by app.Caller, ref Ref, gone Removal) (List, error)
	RestoreList(ctx context.Context, by app.Caller, ref Ref, at time.Time, most int64) (List, error)
	Members(ctx context.Context, userID int64, ref Ref, page app.PageRequest) (app.Page[Member], error)
	ChangeMember(ctx context.Context, by app.Caller, ref Ref, userID int64, role Role, at time.Time, most int64) (Member, error)
	RemoveMember(ctx context.Context, by app.Caller, ref Ref, userID int64, at time.Time) error
}

// Lists are the use cases of lists.
type Lists struct {
	Store ListStore
	Now   func() time.Time
	// MostTasks is how many tasks a user may have; 0 is no limit.
	MostTasks int64
	// KeepTrash says that what is deleted goes to the trash.
	KeepTrash bool
}

// ListNameRule is the rule of a list's name, for a creation or a change.
func ListNameRule(create bool) app.TextRule {
	return app.TextRule{Name: "name", Min: 1, Max: MaxListName, Required: create, Trim: true}
}

var colorForm = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// readColor checks a color; null is none. Returns nil without one.
func readColor(p app.Problems, field app.Field[string]) *string {
	color := strings.ToLower(field.Value)
	switch field.State {
	case app.Absent:
		return nil
	case app.Mistyped:
		p.Add("color", "The field color must be a string.")
	case app.Present:
		if !ValidColor(color) {
			p.Add("color", "The field color must be of the form #2e7d32.")
		}
	}
	return &color
}

// ValidColor reports whether a text is a color as it is stored.
func ValidColor(color string) bool { return colorForm.MatchString(color) }

// Create adds a list of the caller's. Returns KindInvalid errors, ErrTooManyLists, and for
// a uid ErrExists with the list, ErrInTrash or ErrUIDTaken.
func (l *Lists) Create(ctx context.Context, caller app.Caller, in ListInput) (List, error) {
	p := app.Problems{}
	name := p.Text(ListNameRule(true), in.Name)
	color := readColor(p, in.Color)
	list := NewList{UID: readUID(p, in.UID), CreatedAt: l.Now()}
	if err := p.Err(); err != nil {
		return List{}, err
	}
	list.Name = *name
	if color != nil {
		list.Color = *color
	}
	return l.Store.CreateList(ctx, caller, list)
}

// Get returns a list that the caller is a member of.
func (l *Lists) Get(ctx context.Context, caller app.Caller, ref Ref) (List, error) {
	return l.Store.List(ctx, caller.UserID, ref)
}

// List returns a page of the caller's lists: the Inbox first, then by position.
func (l *Lists) List(ctx context.Context, caller app.Caller, archived string, page app.PageRequest) (app.Page[List], error) {
	var which *bool
	switch archived {
	case "", "false":
		which = new(bool)
	case "true":
		yes := true
		which = &yes
	case "all":
	default:
		return app.Page[List]{}, app.InvalidParameter("archived", "must be true, false or all")
	}
	if err := page.Check(); err != nil {
		return app.Page[List]{}, err
	}
	return l.Store.Lists(ctx, caller.UserID, which, page)
}

// Update changes what the input names. The name and the color are the owner's to change,
// else ErrNotListOwner; archiving is each member's own. Returns KindInvalid errors,
// ErrListNotFound, ErrInboxFixed, and ErrListChanged with the list as it is.
func (l *Lists) Update(ctx context.Context, caller app.Caller, ref Ref, in ListInput) (List, error) {
	p := app.Problems{}
	change := ListChange{
		Name: p.Text(ListNameRule(false), in.Name), Color: readColor(p, in.Color),
		Archived: p.Boolean("archived", in.Archived), Match: in.Match, Now: l.Now(),
	}
	for name, null := range map[string]bool{"name": in.Name.State == app.Null, "archived": in.Archived.State == app.Null} {
		if null && in.Merge {
			p.Add(name, "The field "+name+" can't be removed.")
		}
	}
	return either(p, func() (List, error) { return l.Store.UpdateList(ctx, caller, ref, change) }, func() error {
		list, err := l.Store.List(ctx, caller.UserID, ref)
		if err == nil && list.Role != RoleOwner && (in.Name.State > app.Null || in.Color.State != app.Absent) {
			err = ErrNotListOwner
		}
		return err
	})
}

// either does what is asked unless there are problems, of which those learn nothing for
// whom the thing does not exist.
func either[T any](p app.Problems, do func() (T, error), look func() error) (T, error) {
	err := p.Err()
	if err == nil {
		return do()
	}
	var none T
	if missing := look(); missing != nil {
		return none, missing
	}
	return none, err
}

// Move puts a list elsewhere in the caller's own order. Returns ErrListNotFound,
// ErrNotSibling, ErrInboxFixed, since the Inbox comes first, and ErrListChanged with the
// list as it is.
func (l *Lists) Move(ctx context.Context, caller app.Caller, ref Ref, in PlaceInput, match *Match) (List, error) {
	p := app.Problems{}
	place := in.read(p)
	return either(p, func() (List, error) { return l.Store.MoveList(ctx, caller, ref, place, match, l.Now()) },
		func() error { _, err := l.Store.List(ctx, caller.UserID, ref); return err })
}

// Delete moves a list of the caller's with all its tasks to the trash. Returns
// ErrListNotFound, ErrNotListOwner, ErrInboxFixed, and ErrListChanged with the
// list as it is.
func (l *Lists) Delete(ctx context.Context, caller app.Caller, ref Ref, match *Match) (List, error) {
	return l.Store.DeleteList(ctx, caller, ref, Removal{Permanent: !l.KeepTrash, At: l.Now(), Match: match})
}

// Restore brings a list back with its tasks and those of its members who still are users.
// Returns ErrListNotFound, ErrNotInTrash, ErrTooManyLists and ErrTooManyTasks.
func (l *Lists) Restore(ctx context.Context, caller app.Caller, ref Ref) (List, error) {
	return l.Store.RestoreList(ctx, caller, ref, l.Now(), l.MostTasks)
}

// Members returns a page of those who are in a list, the owner first.
func (l *Lists) Members(ctx context.Context, caller app.Caller, ref Ref, page app.PageRequest) (app.Page[Member], error) {
	if err := page.Check(); err != nil {
		return app.Page[Member]{}, err
	}
	return l.Store.Members(ctx, caller.UserID, ref, page)
}

// ChangeMember gives a member another role; a new owner takes the list over, and the caller
// becomes an editor. Returns KindInvalid errors, ErrListNotFound, ErrNotListOwner,
// ErrMemberNotFound, ErrInboxFixed and, of the new owner, ErrTooManyLists and
// ErrTooManyTasks.
func (l *Lists) ChangeMember(ctx context.Context, caller app.Caller, ref Ref, userID int64, role app.Field[string]) (Member, error) {
	p := app.Problems{}
	to := readRole(p, role, "owner, editor or viewer")
	return either(p, func() (Member, error) {
		return l.Store.ChangeMember(ctx, caller, ref, userID, to, l.Now(), l.MostTasks)
	}, func() error { _, err := l.Store.List(ctx, caller.UserID, ref); return err })
}

func readRole(p app.Problems, field app.Field[string], known string) Role {
	role, ok := ParseRole(field.Value)
	switch {
	case field.State == app.Absent || field.State == app.Null:
		p.Add("role", app.Required("role"))
	case !ok || role == RoleOwner && !strings.Contains(known, role.String()):
		p.Add("role", "The field role must be "+known+".")
	}
	return role
}

// RemoveMember takes somebody out of a list, or lets the caller leave it. Returns
// ErrListNotFound, ErrNotListOwner, ErrMemberNotFound and ErrOwnerCannotLeave.
func (l *Lists) RemoveMember(ctx context.Context, caller app.Caller, ref Ref, userID int64) error {
	return l.Store.RemoveMember(ctx, caller, ref, userID, l.Now())
}
