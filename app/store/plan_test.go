package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

const testHash = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U"

func openTest(t testing.TB) *storetest.DB {
	t.Helper()
	return openUntil(t, t.Cleanup)
}

// openUntil opens a database that is closed when cleanup runs what it is given.
func openUntil(t testing.TB, cleanup func(func())) *storetest.DB {
	t.Helper()
	return storetest.OpenWith(t, storetest.Options{Now: func() time.Time { return testNow }, Cleanup: cleanup})
}

var testNow = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

func addUser(t testing.TB, db *storetest.DB, email string, role app.Role) account.User {
	t.Helper()
	user, err := db.CreateUser(context.Background(), app.Operator(), account.NewUser{
		Username: "someone", Email: email, PasswordHash: testHash, Role: role, CreatedAt: testNow,
	}, welcome(email))
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// welcome is the record of a registration.
func welcome(email string) account.Record {
	return account.Record{
		Events: []account.Event{{At: testNow, Name: account.EventUserCreated}},
		Mails: []outbox.NewMail{{
			Template: outbox.MailWelcome, To: email, Data: map[string]string{"Username": "someone"}, CreatedAt: testNow,
			Link: &outbox.NewLink{Hash: linkHash(email), Purpose: outbox.PurposeVerify, ExpiresAt: testNow.Add(time.Hour)},
		}},
	}
}

// linkHash is 43 characters that stand for the hash of a link.
func linkHash(text string) string { return (text + strings.Repeat("-", 43))[:43] }

const testSession = "0123456789abcdefghijkl"

func addSession(t testing.TB, db *storetest.DB, id string, user account.User) account.Session {
	t.Helper()
	session := account.Session{ID: id, UserID: user.ID, Generation: 1, CreatedAt: testNow, LastUsedAt: testNow, ExpiresAt: testNow.Add(time.Hour)}
	if err := db.CreateSession(context.Background(), session, account.SignIn{PasswordHash: user.PasswordHash}, account.Record{}); err != nil {
		t.Fatal(err)
	}
	return session
}

// useEverything calls every method of a request path or of the mail worker, on
// each of its branches, so that all their statements are prepared.
func useEverything(t *testing.T, db *storetest.DB) {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	admin := addUser(t, db, "admin@example.com", app.RoleAdmin)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	_, err := db.User(ctx, ann.ID)
	check(err)
	_, err = db.UserByEmail(ctx, "ANN@example.com")
	check(err)
	for _, page := range []int64{1, 9} {
		_, err = db.Users(ctx, app.PageRequest{Page: page, PerPage: 10})
		check(err)
		_, err = db.Tasks(ctx, app.Operator(), ann.ID, app.PageRequest{Page: page, PerPage: 10})
		check(err)
	}
	for _, query := range store.RareQueries() {
		reader, err := db.Read(ctx)
		check(err)
		check(reader.Each(query, []any{1, 1, 1, 1}, func(store.Row) error { return nil }))
	}
	session := addSession(t, db, testSession, ann)
	_, err = db.Caller(ctx, session.ID, ann.ID, testNow)
	check(err)
	for _, action := range []account.SessionAction{account.SessionKeep, account.SessionTouch, account.SessionRotate, account.SessionStolen} {
		shown := account.UseOf{SessionID: session.ID, Generation: 1, Now: testNow}
		_, err = db.UseSession(ctx, shown, func(account.SessionUse) (account.SessionAction, account.Record) { return action, account.Record{} })
		check(err)
	}
	addSession(t, db, session.ID, ann)
	_, err = db.EndSession(ctx, app.Caller{}, session.ID, account.Record{})
	check(err)
	renewed := account.Session{ID: testSession, UserID: ann.ID, Generation: 1, ExpiresAt: testNow.Add(time.Hour)}
	check(db.CreateSession(ctx, renewed, account.SignIn{PasswordHash: testHash, NewHash: testHash}, account.Record{}))
	_, err = db.EndSessions(ctx, app.Caller{UserID: ann.ID, Role: app.RoleUser, SessionID: testSession}, false, account.Record{})
	check(err)
	useTokensAndLinks(t, db, ann)
	task, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: ann.ID, Title: "t", CreatedAt: testNow})
	check(err)
	_, err = db.Task(ctx, app.Caller{UserID: ann.ID}, todo.ByID(task.ID))
	check(err)
	_, err = db.UpdateTask(ctx, app.Operator(), todo.ByID(task.ID), todo.TaskChange{Now: testNow})
	check(err)
	_, err = db.DeleteTask(ctx, app.Operator(), todo.ByID(task.ID), todo.Removal{Permanent: true, At: testNow})
	check(err)
	useLists(t, db, ann, admin)
	useWebhooks(t, db, ann)
	useFeeds(t, db, ann)
	hash := testHash
	_, _, err = db.UpdateUser(ctx, app.Operator(), ann.ID, account.UserChange{PasswordHash: &hash, PendingEmail: new(string)}, account.Record{})
	check(err)
	_, err = db.SetRole(ctx, ann.ID, app.RoleAdmin, account.Record{})
	check(err)
	check(db.DeleteUser(ctx, app.Operator(), admin.ID, account.PassShared, account.Record{}))
	mail, _, found, err := db.ClaimMail(ctx, testNow, time.Minute)
	if check(err); !found {
		t.Fatal("no mail to claim")
	}
	check(db.MailFailed(ctx, mail.ID, "why", testNow.Add(time.Hour)))
	check(db.MailFailed(ctx, mail.ID, "why", time.Time{}))
	check(db.MailSent(ctx, mail.ID, testNow))
}

// useLists calls every method of lists, sharing, the trash and the search.
func useLists(t *testing.T, db *storetest.DB, ann, ben account.User) {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	hers := app.Caller{UserID: ann.ID, Role: app.RoleUser, SessionID: addSession(t, db, "session-of-ann-0000001", ann).ID}
	his := app.Caller{UserID: ben.ID, Role: app.RoleAdmin, SessionID: addSession(t, db, "session-of-ben-0000001", ben).ID}
	list, err := db.CreateList(ctx, hers, todo.NewList{Name: "shared", UID: "0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f", CreatedAt: testNow})
	check(err)
	ref, name, yes := todo.ByID(list.ID), "other", true
	page := app.PageRequest{Page: 1, PerPage: 10}
	_, err = db.Lists(ctx, ann.ID, nil, page)
	check(err)
	_, err = db.UpdateList(ctx, hers, todo.Ref{UID: list.UID}, todo.ListChange{Name: &name, Archived: &yes, Now: testNow})
	check(err)
	_, err = db.MoveList(ctx, hers, ref, todo.Place{}, nil, testNow)
	check(err)
	_, err = db.Invite(ctx, hers, ref, todo.NewInvitation{Role: todo.RoleEditor, Email: "x@example.com", Hash: linkHash("i"), CreatedAt: testNow, ExpiresAt: testNow.Add(time.Hour)}, todo.Letter{To: "x@example.com", Seed: "s"})
	check(err)
	_, err = db.Invitations(ctx, ann.ID, ref, testNow, page)
	check(err)
	_, err = db.AcceptInvitation(ctx, his, linkHash("i"), testNow)
	check(err)
	check(ignoring(db.RevokeInvitation(ctx, hers, ref, 1), todo.ErrInvitationNotFound))
	_, err = db.Members(ctx, ann.ID, ref, page)
	check(err)
	useTasksOfList(t, db, hers, his, ref)
	useUndo(t, db, hers, his, ref)
	_, err = db.ChangeMember(ctx, hers, ref, ben.ID, todo.RoleOwner, testNow, 0)
	check(err)
	check(db.RemoveMember(ctx, his, ref, ann.ID, testNow))
	_, err = db.DeleteList(ctx, his, ref, todo.Removal{At: testNow})
	check(err)
	_, err = db.RestoreList(ctx, his, ref, testNow, 100)
	check(err)
	_, err = db.EmptyTrash(ctx, hers)
	check(err)
}

func useTasksOfList(t *testing.T, db *storetest.DB, hers, his app.Caller, list todo.Ref) {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	due, err := todo.ParseDue("2026-01-31T09:00", "Europe/Berlin")
	check(err)
	add := func(n todo.NewTask) todo.Ref {
		n.UserID, n.Title, n.CreatedAt = hers.UserID, "Café au lait", testNow
		task, err := db.CreateTask(ctx, hers, n)
		check(err)
		return todo.ByID(task.ID)
	}
	parent := add(todo.NewTask{List: list, UID: "0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e70", Labels: []string{"home"}, Dates: todo.Dates{Due: due},
		Repetition: todo.Repetition{Rule: "FREQ=DAILY", Start: due}, Reminders: []todo.Reminder{{Before: time.Hour}}, AssigneeID: his.UserID})
	child := add(todo.NewTask{Parent: parent})
	other := add(todo.NewTask{List: list})
	yes, no := true, false
	for _, done := range []*bool{&yes, &no} {
		for _, ref := range []todo.Ref{parent, child} {
			_, err = db.UpdateTask(ctx, hers, ref, todo.TaskChange{Completed: done, Now: testNow})
			check(err)
		}
	}
	for _, place := range []todo.Place{{}, {Before: other}, {After: other}} {
		_, err = db.MoveTask(ctx, hers, parent, todo.Move{Place: place, Now: testNow})
		check(err)
	}
	_, err = db.RenameLabel(ctx, hers, "home", "house", testNow)
	check(err)
	_, err = db.Labels(ctx, hers.UserID)
	check(err)
	_, err = db.DeleteTask(ctx, hers, parent, todo.Removal{At: testNow})
	check(err)
	_, err = db.Trash(ctx, hers.UserID, list, app.PageRequest{Page: 1, PerPage: 10}, nil)
	check(err)
	_, err = db.RestoreTask(ctx, hers, parent, nil, testNow, 100)
	check(err)
	for range 2 {
		_, err = db.IndexWords(ctx)
		check(err)
	}
	for cursor, limit := (*todo.SyncCursor)(nil), int64(1); limit < 40; limit++ {
		page, err := db.Sync(ctx, todo.SyncQuery{UserID: his.UserID, After: cursor, Limit: limit})
		check(err)
		cursor = &page.After
	}
	retry := app.Retry{UserID: hers.UserID, Key: "key"}
	for range 2 {
		_, _, err = db.Once(ctx, hers, retry, func(context.Context) (app.Answer, error) {
			return app.Answer{Status: 200, Body: make([]byte, store.TrimAfterLen)}, nil
		})
		check(err)
	}
	useReminders(t, db, hers)
	check(db.Write(ctx, func(tx *store.Tx) error {
		return tx.TrimAnswers(hers.UserID)
	}))
	_, err = db.Counts(ctx, hers.UserID, todo.Now{At: testNow, Reader: time.UTC})
	check(err)
}

func useReminders(t *testing.T, db *storetest.DB, who app.Caller) {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		_, err := db.PushKey(ctx, func() (string, error) { return "key", nil })
		check(err)
	}
	made, err := db.Subscribe(ctx, who, outbox.Subscription{Endpoint: "https://push.example.com/1", P256dh: make([]byte, 65), Auth: make([]byte, 16), CreatedAt: testNow})
	check(err)
	channels, zone := app.AllChannels(), "Europe/Berlin"
	_, _, err = db.UpdateUser(ctx, app.Operator(), who.UserID, account.UserChange{ReminderChannels: &channels, TimeZone: &zone}, account.Record{})
	check(err)
	check(db.Write(ctx, func(tx *store.Tx) error { return tx.Exec(`UPDATE users SET verified_at = 1 WHERE id = ?`, who.UserID) }))
	remind(t, db, who.UserID, testNow)
	fired, err := db.FireReminders(ctx, testNow, true)
	if check(err); fired.Reminders != 1 || fired.Mailed != 1 || fired.Pushed != 1 {
		t.Fatalf("%+v", fired)
	}
	_, err = db.Subscriptions(ctx, who.UserID, testNow)
	check(err)
	due, _, err := db.DuePushes(ctx, testNow, 10)
	if check(err); len(due) != 1 {
		t.Fatalf("%+v", due)
	}
	push, found, err := db.Push(ctx, made.ID, testNow)
	if check(err); !found {
		t.Fatal("nothing is to be pushed")
	}
	check(db.PushFailed(ctx, made.ID, testNow.AddDate(1, 0, 0)))
	_, _, err = db.DuePushes(ctx, testNow, 10) // hastens
	check(err)
	check(db.PushDone(ctx, made.ID, push.Seq, testNow))
	check(db.PushGone(ctx, made.ID))
	if err := db.Unsubscribe(ctx, who, made.ID); !errors.Is(err, outbox.ErrSubscriptionNotFound) {
		t.Fatal(err)
	}
}

// TestEverySearchIsASearchByIndex asks how SQLite would run what is found by parameters:
// each by the index that is meant for it, and never by a walk over what is others'.
func TestEverySearchIsASearchByIndex(t *testing.T) {
	db := openTest(t)
	db.SQLite(t, "another engine plans by what is in the tables")
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	if _, err := db.CreateTask(t.Context(), app.Operator(), todo.NewTask{UserID: ann.ID, Title: "parent", CreatedAt: testNow}); err != nil {
		t.Fatal(err)
	}
	inbox := todo.ByID(1)
	open, nobody, somebody := false, int64(0), ann.ID
	now := todo.Now{At: testNow, Reader: time.UTC}
	all := todo.ScopeAll
	for name, c := range map[string]struct {
		find todo.Find
		uses string
	}{
		"own open by id":       {todo.Find{Completed: &open}, "tasks_user"},
		"a list by position":   {todo.Find{Lists: []todo.Ref{inbox}, Completed: &open, Sort: todo.SortPosition}, "tasks_list"},
		"a list, done":         {todo.Find{Lists: []todo.Ref{inbox}, Sort: todo.SortPosition}, "tasks_list"},
		"today":                {todo.Find{Scope: all, Completed: &open, Due: true, Before: []todo.Boundary{now.Tomorrow()}, Sort: todo.SortDue}, "tasks_due"},
		"upcoming":             {todo.Find{Scope: all, Completed: &open, Due: true, NotBefore: []todo.Boundary{now.Tomorrow()}}, "tasks_due"},
		"a list, today":        {todo.Find{Lists: []todo.Ref{inbox}, Completed: &open, Due: true, Before: []todo.Boundary{now.Tomorrow()}}, "tasks_due"},
		"undated":              {todo.Find{Scope: all, Completed: &open, Undated: true}, "tasks_list"},
		"label":                {todo.Find{Labels: []string{"a", "b"}}, "task_labels"},
		"assigned to me":       {todo.Find{Scope: todo.ScopeAssigned}, "tasks_assignee"},
		"assigned to somebody": {todo.Find{Scope: all, Assignee: &somebody}, "tasks_assignee"},
		"assigned to nobody":   {todo.Find{Scope: all, Assignee: &nobody}, "tasks_list"},
		"children":             {todo.Find{Parent: &todo.Ref{ID: 1}}, "tasks_parent"},
		"words":                {todo.Find{Scope: all, Words: []string{"caf", "lait"}}, "task_words"},
		"by priority":          {todo.Find{Completed: &open, Sort: todo.SortPriority}, "tasks_list"},
		"by title":             {todo.Find{Completed: &open, Sort: todo.SortTitle}, "tasks_list"},
		"updated":              {todo.Find{Scope: all, UpdatedAfter: testNow, Sort: todo.SortUpdated}, "tasks_list"},
		"two lists":            {todo.Find{Lists: []todo.Ref{inbox, inbox}}, "tasks_list"},
	} {
		find := c.find
		find.UserID = ann.ID
		if find.Scope == "" {
			find.Scope = todo.ScopeOwn
		}
		if find.Sort == "" {
			find.Sort = todo.SortID
		}
		query, err := store.PageQuery(t.Context(), db.DB, find)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		steps := db.Plan(t, query, nil)
		plan := strings.Join(steps, "\n  ")
		t.Logf("%s:\n  %s", name, plan)
		if !strings.Contains(plan, c.uses) || strings.Contains(plan, "SCAN tasks") || strings.Contains(plan, "SCAN task_words") || strings.Contains(plan, "SCAN members") {
			t.Errorf("%s should use %s:\n  %s", name, c.uses, plan)
		}
	}
}

func useTokensAndLinks(t *testing.T, db *storetest.DB, user account.User) {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, page := range []int64{1, 9} {
		request := app.PageRequest{Page: page, PerPage: 10}
		_, err := db.Sessions(ctx, user.ID, testNow, request)
		check(err)
		_, err = db.Events(ctx, user.ID, request)
		check(err)
		_, err = db.APITokens(ctx, user.ID, testNow, request)
		check(err)
	}
	token, err := db.CreateAPIToken(ctx, app.Operator(), account.NewAPIToken{
		UserID: user.ID, Name: "a", Hash: linkHash("token"), Scopes: []app.Scope{app.ScopeAccount}, CreatedAt: testNow,
	}, account.Record{})
	check(err)
	caller, err := db.TokenCaller(ctx, linkHash("token"), testNow)
	if check(err); caller.UserID != user.ID || !caller.May(app.ScopeAccount) {
		t.Errorf("%+v", caller)
	}
	check(db.DeleteAPIToken(ctx, caller, token.ID, account.Record{}))
	_, err = db.VerifyEmail(ctx, linkHash(user.Email), testNow, func(account.Link, account.User) account.Record { return account.Record{} })
	check(err)
	addLink := func(purpose outbox.Purpose, email string) {
		mail := outbox.NewMail{To: email, CreatedAt: testNow, Link: &outbox.NewLink{Hash: linkHash(string(purpose)), Purpose: purpose, ExpiresAt: testNow.Add(time.Hour)}}
		check(db.RecordByEmail(ctx, user.Email, func(account.User) (account.Record, error) { return account.Record{Mails: []outbox.NewMail{mail}}, nil }))
	}
	addLink(outbox.PurposeReset, user.Email)
	_, err = db.ResetPassword(ctx, linkHash("reset"), testHash, testNow, account.Record{})
	check(err)
	pending, address := "new@example.com", "newer@example.com"
	_, _, err = db.UpdateUser(ctx, app.Operator(), user.ID, account.UserChange{PendingEmail: &pending}, account.Record{})
	check(err)
	addLink(outbox.PurposeChange, pending)
	_, err = db.VerifyEmail(ctx, linkHash("change"), testNow, func(account.Link, account.User) account.Record { return account.Record{} })
	check(err)
	_, _, err = db.UpdateUser(ctx, app.Operator(), user.ID, account.UserChange{Email: &address}, account.Record{})
	check(err)
	check(db.AddEvent(ctx, account.Event{At: testNow, Name: account.EventLimited}))
}

// TestEveryQueryIsASearchByIndex runs every statement of the store, and asks the engine how it runs
// each.
func TestEveryQueryIsASearchByIndex(t *testing.T) {
	db := openTest(t)
	ran := record(db)
	useEverything(t, db)
	searchesByIndex(t, db, ran, 50)
}

// searchesByIndex looks at each statement that ran, of which there are at least so many.
func searchesByIndex(t *testing.T, db *storetest.DB, ran *recorder, least int) {
	t.Helper()
	if !storetest.IsSQLite() {
		fill(t, db)
	}
	asked := 0
	ran.queries.Range(func(key, args any) bool {
		query := key.(string)
		if strings.HasPrefix(query, "ROLLBACK") || strings.HasPrefix(query, "SAVEPOINT") || strings.HasPrefix(query, "RELEASE") {
			return true
		}
		asked++
		steps := db.Plan(t, query, args.([]any))
		for i, step := range steps {
			if walks(steps, i, query) {
				t.Errorf("%s\n  in %s\n%s", step, query, strings.Join(steps, "\n"))
			}
		}
		return true
	})
	if asked < least {
		t.Errorf("only %d statements were looked at", asked)
	}
}

// fill adds so much of many accounts that PostgreSQL, which plans by what is in the tables, has a
// reason to look for what it needs.
func fill(t *testing.T, db *storetest.DB) {
	t.Helper()
	users, tasks := numbers(1000), numbers(20_000)
	for _, query := range []string{
		users + `INSERT INTO users (id, username, email, email_key, password_hash, role, created_at) SELECT i, 'u', i || '@x', i || '@x', '$argon2id$', 'user', 1 FROM n`,
		users + `INSERT INTO lists (id, owner_id, name, inbox, created_at, updated_at, version) SELECT i, i, 'Inbox', 1, 1, 1, 1 FROM n`,
		users + `INSERT INTO members (user_id, list_id, role, position, joined_at, version) SELECT i, i, 3, 0, 1, 1 FROM n`,
		users + `INSERT INTO sessions (id, user_id, generation, created_at, last_used_at, expires_at) SELECT substr('session-of-somebody-' || i, 6, 22), i, 1, 1, 1, 9999999999999 FROM n`,
		users + `INSERT INTO trash (id, user_id, list_id, grp, at, data) SELECT i, i, i, i, i, '{}' FROM n`,
		users + `INSERT INTO feeds (user_id, hash, form, created_at) SELECT i, substr('a-hash-of-forty-three-letters-in-a-calendar-' || i, 9, 43), 'todo', 1 FROM n`,
		tasks + `INSERT INTO tasks (id, user_id, list_id, title, description, created_at, updated_at, version) SELECT i, 1000001 + i % 1000, 1000001 + i % 1000, 't', '', 1, 1, i FROM n`,
		tasks + `INSERT INTO task_labels (list_id, key, task_id) SELECT 1000001 + i % 1000, 'home', i FROM n`,
		tasks + `INSERT INTO task_words (list_id, word, task_id) SELECT 1000001 + i % 1000, 't', i FROM n`,
		tasks + `INSERT INTO task_ical (task_id, said_uid) SELECT i, 'u' || i FROM n`,
		tasks + `INSERT INTO task_names (list_id, task_id, name) SELECT 1000001 + i % 1000, i, 'n' || i FROM n`,
		tasks + `INSERT INTO reminders (user_id, task_id, before, version) SELECT 1000001 + i % 1000, i, 60000, 1 FROM n`,
		tasks + `INSERT INTO events (at, name, user_id) SELECT i, 'signed_in', 1000001 + i % 1000 FROM n`,
		tasks + `INSERT INTO answers (user_id, key, fingerprint, status, body, at) SELECT 1000001 + i % 1000, i, CAST('0123456789abcdef' AS BYTEA), 200, CAST('x' AS BYTEA), i FROM n`,
		tasks + `INSERT INTO mails (user_id, template, recipient, data, message_id, status, created_at, next_at) SELECT 1000001 + i % 1000, 'welcome', 'x', '{}', 'm' || i, 'sent', i, i FROM n`,
		`ANALYZE`,
	} {
		db.Exec(t, query)
	}
}

// numbers begins a statement that has so many numbers from 1,000,001 as n (i).
func numbers(n int) string {
	return fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT CAST(1000001 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 1000000 + %d) `, n)
}

// walks reports whether a step reads a whole table or index, or sorts what is not one account's.
func walks(steps []string, i int, query string) bool {
	step := steps[i]
	if !storetest.IsSQLite() {
		return walksInPostgres(steps, i)
	}
	return strings.HasPrefix(step, "SCAN") && step != "SCAN CONSTANT ROW" && !isOwnScan(step, query) ||
		strings.Contains(step, "TEMP B-TREE") && !strings.Contains(query, store.Sorts)
}

// walksInPostgres is walks for a server that is asked with sequential scans switched off, so that it
// makes one only where no index would do; the table of one row has none. The scan of an index without
// a condition is one of all of it, unless a limit ends it.
func walksInPostgres(steps []string, i int) bool {
	step := steps[i]
	switch {
	case strings.Contains(step, "Seq Scan on "):
		return !strings.Contains(step, "Seq Scan on turn")
	case !strings.Contains(step, "Index Scan ") && !strings.Contains(step, "Index Only Scan "):
		return false
	}
	// What fill has put nothing into is read whichever way.
	if _, rows, _ := strings.Cut(step, " rows="); len(rows) > 0 {
		if n, err := strconv.Atoi(strings.Fields(rows)[0]); err == nil && n < 100 {
			return false
		}
	}
	depth := func(step string) int { return len(step) - len(strings.TrimLeft(step, " ")) }
	for _, below := range steps[i+1:] {
		if depth(below) <= depth(step) {
			break
		}
		if strings.Contains(below, "Index Cond:") {
			return false
		}
	}
	for j := i - 1; j >= 0; j-- {
		if depth(steps[j]) < depth(step) {
			return !strings.HasPrefix(strings.TrimLeft(steps[j], " ->"), "Limit")
		}
	}
	return true
}

// isOwnScan reports whether a step walks over what the query itself has made: a list of
// values, or what it has found by an index.
func isOwnScan(step, query string) bool {
	if name, ok := strings.CutPrefix(step, "SCAN "); ok && strings.Contains(query, ") AS "+name) {
		return true
	}
	for _, own := range []string{"SCAN json_each VIRTUAL TABLE", "SCAN moved VIRTUAL TABLE", "SCAN (subquery", "SCAN under", "SCAN above", "SCAN 2-ROW", "SCAN i", "SCAN own"} {
		if strings.HasPrefix(step, own) {
			return true
		}
	}
	return false
}

// recorder is an engine that notes which statements ran, but for those that are not prepared.
type recorder struct {
	store.Engine
	queries sync.Map // text to the values of its first run
}

// record notes what runs in a store from now on.
func record(db *storetest.DB) *recorder {
	r := &recorder{}
	store.Wrap(db.DB, func(engine store.Engine) store.Engine { r.Engine = engine; return r })
	return r
}

func (r *recorder) Writer() store.Runner { return recording{r.Engine.Writer(), r} }
func (r *recorder) Reader() store.Runner { return recording{r.Engine.Reader(), r} }

func (r *recorder) Snapshot(ctx context.Context) (store.Runner, func(), error) {
	runner, end, err := r.Engine.Snapshot(ctx)
	return recording{runner, r}, end, err
}

// recording is a runner of a recorder.
type recording struct {
	store.Runner
	to *recorder
}

func (r recording) Exec(ctx context.Context, query string, args []any) (int64, error) {
	r.to.queries.LoadOrStore(query, args)
	return r.Runner.Exec(ctx, query, args)
}

func (r recording) Queue(ctx context.Context, query string, args []any) (int64, error) {
	r.to.queries.LoadOrStore(query, slices.Clone(args))
	return r.Runner.Queue(ctx, query, args)
}

func (r recording) Insert(ctx context.Context, query string, args []any) (int64, error) {
	r.to.queries.LoadOrStore(query, args)
	return r.Runner.Insert(ctx, query, args)
}

func (r recording) One(ctx context.Context, query string, args, dest []any) error {
	r.to.queries.LoadOrStore(query, args)
	return r.Runner.One(ctx, query, args, dest)
}

func (r recording) Each(ctx context.Context, query string, args []any, scan func(store.Row) error) error {
	r.to.queries.LoadOrStore(query, args)
	return r.Runner.Each(ctx, query, args, scan)
}
