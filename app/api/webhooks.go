package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/todo"
)

type webhookView struct {
	ID     int64    `json:"id"`
	URL    string   `json:"url"`
	Events []string `json:"events"`
	ListID *int64   `json:"list_id"`
	State  string   `json:"state"`
	// Secret is shown when it is made and never again.
	Secret       string  `json:"secret,omitempty"`
	FailingSince *string `json:"failing_since"`
	NextAt       *string `json:"next_at"`
	LastError    string  `json:"last_error"`
	DateCreated  string  `json:"date_created"`
}

func viewWebhook(w outbox.Webhook) webhookView {
	view := webhookView{
		ID: w.ID, URL: w.URL, Events: w.Events.Names(), State: string(w.State), FailingSince: optionalTime(w.FailingSince),
		NextAt: optionalTime(w.NextAt), LastError: w.LastError, DateCreated: timestamp(w.CreatedAt),
	}
	if w.ListID != 0 {
		view.ListID = &w.ListID
	}
	return view
}

type webhookAnswer struct {
	Message string      `json:"message"`
	Webhook webhookView `json:"webhook"`
}

type webhooksAnswer struct {
	Webhooks   []webhookView  `json:"webhooks"`
	Pagination paginationView `json:"pagination"`
}

// attemptView is how one try went.
type attemptView struct {
	Delivered bool    `json:"delivered"`
	Status    *int    `json:"status"`
	MS        int64   `json:"ms"`
	Error     *string `json:"error"`
}

func viewAttempt(a outbox.Attempt) attemptView {
	return attemptView{a.Delivered(), optionalStatus(a.Status), a.Took.Milliseconds(), optionalText(a.Error)}
}

type testAnswer struct {
	Message string      `json:"message"`
	Attempt attemptView `json:"attempt"`
}

type deliveryView struct {
	Seq    int64   `json:"seq"`
	Event  string  `json:"event"`
	Date   string  `json:"date"`
	Tries  int     `json:"tries"`
	Status *int    `json:"status"`
	MS     int64   `json:"ms"`
	Error  *string `json:"error"`
	Dead   bool    `json:"dead"`
}

func viewDelivery(d outbox.Delivery) deliveryView {
	return deliveryView{d.Seq, d.Event, timestamp(d.At), d.Tries, optionalStatus(d.Status), d.Took.Milliseconds(), optionalText(d.Error), d.Dead}
}

// optionalStatus is null without an answer.
func optionalStatus(status int) *int {
	if status == 0 {
		return nil
	}
	return &status
}

type deliveriesAnswer struct {
	Deliveries []deliveryView `json:"deliveries"`
	Pagination paginationView `json:"pagination"`
}

type deliveryAnswer struct {
	Message  string       `json:"message"`
	Delivery deliveryView `json:"delivery"`
}

// webhookRoutes are those of whom to tell of changes.
func (s *Server) webhookRoutes() []route {
	const get, post, patch, del = fiber.MethodGet, fiber.MethodPost, fiber.MethodPatch, fiber.MethodDelete
	const account = app.ScopeAccount
	none, pages := query{}, query{"page", "per_page"}
	return []route{
		{get, "/webhooks/", signedIn, account, pages, s.paged(s.listWebhooks)},
		{post, "/webhooks/", signedIn, account, none, s.once(s.createWebhook)},
		{get, "/webhooks/:id", signedIn, account, none, s.getWebhook},
		{patch, "/webhooks/:id", signedIn, account, none, s.once(s.updateWebhook)},
		{del, "/webhooks/:id", signedIn, account, none, s.once(s.deleteWebhook)},
		{post, "/webhooks/:id/rotate", signedIn, account, none, s.once(s.rotateWebhook)},
		{post, "/webhooks/:id/resume", signedIn, account, none, s.once(s.resumeWebhook)},
		{post, "/webhooks/:id/test", signedIn, account, none, s.limited("webhook", s.testWebhook)},
		{get, "/webhooks/:id/deliveries", signedIn, account, pages, s.paged(s.listDeliveries)},
		{post, "/webhooks/:id/deliveries/:seq/redeliver", signedIn, account, none, s.limited("webhook", s.redeliver)},
	}
}

// webhookInput reads a webhook. Its list may be named by id or uid.
func (s *Server) webhookInput(c *fiber.Ctx) (in outbox.WebhookInput, err error) {
	fields, err := s.body(c, "url", "events", "list_id")
	if err != nil {
		return in, err
	}
	in.URL, in.Events = fields.text("url"), fields.texts("events")
	ref := fields.ref("list_id")
	in.ListID.State = ref.State
	if ref.State == app.Present {
		list, err := s.Lists.Get(c.UserContext(), callerOf(c), ref.Value)
		if err != nil {
			return in, err
		}
		in.ListID.Value = list.ID
	}
	return in, nil
}

func webhookID(c *fiber.Ctx) (int64, error) {
	id, ok := pathID(c)
	if !ok {
		return 0, outbox.ErrWebhookNotFound
	}
	return id, nil
}

func (s *Server) createWebhook(c *fiber.Ctx) error {
	in, err := s.webhookInput(c)
	if err != nil {
		return err
	}
	made, err := s.Webhooks.Create(c.UserContext(), callerOf(c), in)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderLocation, fmt.Sprintf("/webhooks/%d", made.ID))
	return sendSecret(c, fiber.StatusCreated, "Webhook created successfully. Keep its secret now: it is not shown again.", made)
}

func sendSecret(c *fiber.Ctx, status int, message string, w outbox.Webhook) error {
	view := viewWebhook(w)
	view.Secret = outbox.SecretText(w.Secret)
	return send(c, status, webhookAnswer{message, view})
}

func (s *Server) listWebhooks(c *fiber.Ctx) error {
	request, err := pageRequest(c)
	if err != nil {
		return err
	}
	page, err := s.Webhooks.List(c.UserContext(), callerOf(c), request)
	if err != nil {
		return err
	}
	pagination := viewPagination(page)
	link(c, "/webhooks/", "", pagination)
	return send(c, fiber.StatusOK, webhooksAnswer{views(page.Items, viewWebhook), pagination})
}

func (s *Server) getWebhook(c *fiber.Ctx) error {
	id, err := webhookID(c)
	if err != nil {
		return err
	}
	w, err := s.Webhooks.Get(c.UserContext(), callerOf(c), id)
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, viewWebhook(w))
}

func (s *Server) updateWebhook(c *fiber.Ctx) error {
	id, err := webhookID(c)
	if err != nil {
		return err
	}
	in, err := s.webhookInput(c)
	if err != nil {
		return err
	}
	w, err := s.Webhooks.Update(c.UserContext(), callerOf(c), id, in)
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, webhookAnswer{"Webhook updated successfully.", viewWebhook(w)})
}

func (s *Server) deleteWebhook(c *fiber.Ctx) error {
	id, err := webhookID(c)
	if err != nil {
		return err
	}
	if err := s.Webhooks.Delete(c.UserContext(), callerOf(c), id); err != nil {
		return err
	}
	return send(c, fiber.StatusOK, messageView{"Webhook deleted successfully."})
}

func (s *Server) rotateWebhook(c *fiber.Ctx) error {
	id, err := webhookID(c)
	if err != nil {
		return err
	}
	w, err := s.Webhooks.Rotate(c.UserContext(), callerOf(c), id)
	if err != nil {
		return err
	}
	return sendSecret(c, fiber.StatusOK, "New secret made. The old one signs as well for 24 hours.", w)
}

func (s *Server) resumeWebhook(c *fiber.Ctx) error {
	id, err := webhookID(c)
	if err != nil {
		return err
	}
	in, err := s.body(c, "from")
	if err != nil {
		return err
	}
	w, err := s.Webhooks.Resume(c.UserContext(), callerOf(c), id, in.text("from"))
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, webhookAnswer{"Webhook resumed.", viewWebhook(w)})
}

// sending returns the context of a try that a request waits for: it may take longer than other
// work, and ends with the server.
func (s *Server) sending(c *fiber.Ctx) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.UserContext()))
	stop := context.AfterFunc(s.streams.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

func (s *Server) testWebhook(c *fiber.Ctx) error {
	id, err := webhookID(c)
	if err != nil {
		return err
	}
	ctx, done := s.sending(c)
	defer done()
	attempt, err := s.Webhooks.Test(ctx, callerOf(c), id, func(w outbox.Webhook, now time.Time) []byte {
		return event("webhook.test", now, func(o *object) { o.number("webhook_id", w.ID) })
	})
	if err != nil {
		return err
	}
	message := "Test delivered."
	if !attempt.Delivered() {
		message = "The receiver did not take the test."
	}
	return send(c, fiber.StatusOK, testAnswer{message, viewAttempt(attempt)})
}

func (s *Server) listDeliveries(c *fiber.Ctx) error {
	request, err := pageRequest(c)
	if err != nil {
		return err
	}
	id, err := webhookID(c)
	if err != nil {
		return err
	}
	page, err := s.Webhooks.Deliveries(c.UserContext(), callerOf(c), id, request)
	if err != nil {
		return err
	}
	pagination := viewPagination(page)
	link(c, fmt.Sprintf("/webhooks/%d/deliveries", id), "", pagination)
	return send(c, fiber.StatusOK, deliveriesAnswer{views(page.Items, viewDelivery), pagination})
}

func (s *Server) redeliver(c *fiber.Ctx) error {
	id, err := webhookID(c)
	if err != nil {
		return err
	}
	seq, ok := positive(segment(c, "seq"))
	if !ok {
		return outbox.ErrDeliveryNotFound
	}
	ctx, done := s.sending(c)
	defer done()
	delivery, err := s.Webhooks.Redeliver(ctx, callerOf(c), id, seq, s.WebhookBody)
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, deliveryAnswer{"Event sent again.", viewDelivery(delivery)})
}

// event is the body of a message, as Standard Webhooks 1.0.0 has it.
func event(kind string, at time.Time, data func(o *object)) []byte {
	o := object{[]byte{'{'}}
	o.str("type", kind)
	o.str("timestamp", timestamp(at))
	o.key("data")
	inner := object{append(o.text, '{')}
	data(&inner)
	return append(inner.text, "}}"...)
}

// WebhookBody returns the body of the message about an event, with the thing as its user sees it
// now: only its id and uid, if that is all they may know of it. It returns nil for what happened
// in a list that they have left since.
func (s *Server) WebhookBody(ctx context.Context, userID int64, e outbox.WebhookEvent) ([]byte, error) {
	caller := app.Caller{UserID: userID}
	var thing func(o *object)
	var err error
	if e.TaskID != 0 {
		thing, err = s.eventTask(ctx, caller, e)
	} else {
		thing, err = s.eventList(ctx, caller, e)
	}
	if err != nil || thing == nil {
		return nil, err
	}
	return event(e.Kind.String(), e.At, func(o *object) {
		thing(o)
		if e.MemberID != 0 {
			o.number("user_id", e.MemberID)
		}
		o.value("changed", append([]string{}, e.Changed...))
		o.id("actor_id", e.ActorID)
		o.number("seq", e.Seq)
	}), nil
}

func (s *Server) eventTask(ctx context.Context, caller app.Caller, e outbox.WebhookEvent) (func(o *object), error) {
	task, err := s.Tasks.Get(ctx, caller, todo.ByID(e.TaskID))
	switch {
	case err == nil:
		return func(o *object) { o.key("task"); o.text = s.taskOf(o.text, &task) }, nil
	case !errors.Is(err, todo.ErrTaskNotFound):
		return nil, err
	}
	if _, err := s.Lists.Get(ctx, caller, todo.ByID(e.ListID)); errors.Is(err, todo.ErrListNotFound) && !e.Trashed {
		return nil, nil
	} else if err != nil && !e.Trashed {
		return nil, err
	}
	return func(o *object) { s.gone(o, "task", todo.KindTask, e.TaskID, e.UID) }, nil
}

func (s *Server) eventList(ctx context.Context, caller app.Caller, e outbox.WebhookEvent) (func(o *object), error) {
	list, err := s.Lists.Get(ctx, caller, todo.ByID(e.ListID))
	switch {
	case err == nil:
		return func(o *object) { o.value("list", s.viewList(list)) }, nil
	case !errors.Is(err, todo.ErrListNotFound):
		return nil, err
	case e.Trashed, e.Kind == outbox.EventListDeleted, e.Kind == outbox.EventListLeft && e.MemberID == caller.UserID:
		return func(o *object) { s.gone(o, "list", todo.KindList, e.ListID, e.UID) }, nil
	}
	return nil, nil
}

// gone writes what is known of a thing that is out of sight.
func (s *Server) gone(o *object, name string, kind todo.Kind, id int64, uid string) {
	o.key(name)
	inner := object{append(o.text, '{')}
	inner.number("id", id)
	inner.str("uid", s.uid(kind, id, uid))
	o.text = append(inner.text, '}')
}
