package todo

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"taskapi/app"
)

// Limits of feeds.
const (
	MaxFeeds = 20 // of an account
	// MaxFeedComponents and MaxFeedBytes are how much a calendar program is given at most.
	MaxFeedComponents = 2000
	MaxFeedBytes      = 1 << 20
	// feedDone is for how many days a feed still has what is done.
	feedDone = 30
	// feedSecret is how many random bytes are in the address of a feed.
	feedSecret = 32
	// feedForm is raised when the same tasks are written in another way.
	feedForm = 2
)

// FeedForm says what the tasks of a feed are told as.
type FeedForm string

// The forms of feeds: as tasks (VTODO), as events (VEVENT) for calendars that show no tasks, and
// as both.
const (
	FeedTodo  FeedForm = "todo"
	FeedEvent FeedForm = "event"
	FeedBoth  FeedForm = "both"
)

// The errors of feeds.
var (
	ErrFeedNotFound = &app.Error{Kind: app.KindNotFound, Code: "feed_not_found", Message: "Feed not found."}
	ErrTooManyFeeds = &app.Error{Kind: app.KindConflict, Code: "too_many_feeds", Message: "An account may have 20 feeds. Revoke one."}
)

// Feed is an address at which a calendar is read by whoever knows it.
type Feed struct {
	ID, UserID int64
	// ListID is 0 for all lists that the user has not archived.
	ListID    int64
	Form      FeedForm
	CreatedAt time.Time
	// URL is known only to who has just made it.
	URL string
}

// NewFeed is a checked feed that has no id yet.
type NewFeed struct {
	ListID    int64
	Form      FeedForm
	Hash      string
	CreatedAt time.Time
}

// FeedState is a feed that may be read now.
type FeedState struct {
	Feed
	// Title is the name of its list, empty for all lists.
	Title string
	// Seq is the number of the newest change in its scopes.
	Seq int64
	// ETag is the entity tag with its quotes.
	ETag string
}

// FeedTask is a task as a feed has it.
type FeedTask struct {
	CalendarTask
	// Exceptions are the days that its client leaves out of how it repeats.
	Exceptions []time.Time
	// Cancelled says that its client has given it up.
	Cancelled bool
}

// FeedStore keeps feeds. What the user of a feed may not see any more is not there:
// ErrFeedNotFound.
type FeedStore interface {
	// CreateFeed returns ErrListNotFound and ErrTooManyFeeds.
	CreateFeed(ctx context.Context, by app.Caller, feed NewFeed) (Feed, error)
	// Feeds returns a page of a user's feeds, by id.
	Feeds(ctx context.Context, userID int64, page app.PageRequest) (app.Page[Feed], error)
	// RevokeFeed returns ErrFeedNotFound without one of the caller's.
	RevokeFeed(ctx context.Context, by app.Caller, id int64) error
	// OpenFeed returns the feed with a hash.
	OpenFeed(ctx context.Context, hash string) (FeedState, error)
	// FeedTasks gives the open tasks of a feed, those with a date first, and then what was done
	// since a time, the last first, list by list and MaxFeedComponents at most; nothing is held while each
	// works. It ends early when that wants no more.
	FeedTasks(ctx context.Context, feed Feed, since time.Time, each func(FeedTask) (more bool)) error
}

// Feeds are the use cases of feeds.
type Feeds struct {
	Store FeedStore
	// PublicURL is where people reach the server, without a slash at its end.
	PublicURL string
	// Lineage is that of the database, which entity tags are of.
	Lineage string
	Seed    Seed
	Now     func() time.Time
	Random  io.Reader
}

// Create makes a feed of a list, or of all with a list of 0. Returns KindInvalid errors,
// ErrListNotFound and ErrTooManyFeeds.
func (f *Feeds) Create(ctx context.Context, caller app.Caller, list app.Field[int64], form app.Field[string]) (Feed, error) {
	p := app.Problems{}
	if list.State == app.Mistyped {
		p.Add("list_id", "The field list_id must be the id or the uid of a list.")
	}
	n := NewFeed{ListID: list.Value, Form: FeedForm(form.Value), CreatedAt: f.Now()}
	switch {
	case form.State == app.Absent:
		p.Add("as", app.Required("as"))
	case form.State != app.Present, n.Form != FeedTodo && n.Form != FeedEvent && n.Form != FeedBoth:
		p.Add("as", "The field as must be todo, event or both.")
	}
	if err := p.Err(); err != nil {
		return Feed{}, err
	}
	raw := make([]byte, feedSecret)
	if _, err := io.ReadFull(f.Random, raw); err != nil {
		return Feed{}, fmt.Errorf("making a feed: %w", err)
	}
	secret := base64.RawURLEncoding.EncodeToString(raw)
	n.Hash, _ = feedHash(secret)
	made, err := f.Store.CreateFeed(ctx, caller, n)
	if err != nil {
		return Feed{}, err
	}
	made.URL = f.PublicURL + "/feeds/" + secret + ".ics"
	return made, nil
}

// feedHash returns what is kept of the secret of a feed; false for what is no secret.
func feedHash(secret string) (hash string, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	// The decoder skips line breaks, hence the length of the text.
	if err != nil || len(raw) != feedSecret || len(secret) != base64.RawURLEncoding.EncodedLen(feedSecret) {
		return "", false
	}
	sum := sha256.Sum256(append([]byte("taskapi feed\x00"), raw...))
	return base64.RawURLEncoding.EncodeToString(sum[:]), true
}

// List returns a page of the caller's feeds.
func (f *Feeds) List(ctx context.Context, caller app.Caller, page app.PageRequest) (app.Page[Feed], error) {
	if err := page.Check(); err != nil {
		return app.Page[Feed]{}, err
	}
	return f.Store.Feeds(ctx, caller.UserID, page)
}

// Revoke ends a feed of the caller's at once. Returns ErrFeedNotFound.
func (f *Feeds) Revoke(ctx context.Context, caller app.Caller, id int64) error {
	return f.Store.RevokeFeed(ctx, caller, id)
}

// Open returns the feed with a secret. Its entity tag is that of what Text returns, which is
// never older. Returns ErrFeedNotFound.
func (f *Feeds) Open(ctx context.Context, secret string) (FeedState, error) {
	hash, ok := feedHash(secret)
	if !ok {
		return FeedState{}, ErrFeedNotFound
	}
	state, err := f.Store.OpenFeed(ctx, hash)
	// What was done drops out day by day, without a change.
	state.ETag = fmt.Sprintf(`"%s-%d.%d.%d"`, f.Lineage, state.Seq, f.since().Unix()/int64(oneDay/time.Second), feedForm)
	return state, err
}

// since is from when on a feed has what is done.
func (f *Feeds) since() time.Time { return f.Now().UTC().Truncate(oneDay).AddDate(0, 0, -feedDone) }

// Text returns what is in a feed: iCalendar (RFC 5545). What is more than fits is left out.
// Returns ErrFeedNotFound.
func (f *Feeds) Text(ctx context.Context, state FeedState) ([]byte, error) {
	text := newFeedText(state, f.Seed)
	if err := f.Store.FeedTasks(ctx, state.Feed, f.since(), text.add); err != nil {
		return nil, err
	}
	return text.bytes(), nil
}
