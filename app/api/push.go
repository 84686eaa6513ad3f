package api

import (
	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/outbox"
)

type subscriptionView struct {
	ID          int64  `json:"id"`
	Endpoint    string `json:"endpoint"`
	SessionID   string `json:"session_id"`
	Current     bool   `json:"current"`
	DateCreated string `json:"date_created"`
}

func viewSubscription(s outbox.Subscription, caller app.Caller) subscriptionView {
	return subscriptionView{s.ID, s.Endpoint, s.SessionID, s.SessionID == caller.SessionID, timestamp(s.CreatedAt)}
}

func (s *Server) pushKey(c *fiber.Ctx) error {
	key, err := s.Push.PublicKey(callerOf(c))
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, struct {
		PublicKey string `json:"public_key"`
	}{key})
}

func (s *Server) listSubscriptions(c *fiber.Ctx) error {
	caller := callerOf(c)
	all, err := s.Push.List(c.UserContext(), caller)
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, struct {
		Subscriptions []subscriptionView `json:"subscriptions"`
	}{views(all, func(one outbox.Subscription) subscriptionView { return viewSubscription(one, caller) })})
}

func (s *Server) createSubscription(c *fiber.Ctx) error {
	in, err := s.body(c, "endpoint", "keys")
	if err != nil {
		return err
	}
	caller := callerOf(c)
	made, err := s.Push.Create(c.UserContext(), caller, outbox.SubscriptionInput{Endpoint: in.text("endpoint"), Keys: in.object("keys")})
	if err != nil {
		return err
	}
	return send(c, fiber.StatusCreated, struct {
		Message      string           `json:"message"`
		Subscription subscriptionView `json:"subscription"`
	}{"This browser shows reminders.", viewSubscription(made, caller)})
}

func (s *Server) deleteSubscription(c *fiber.Ctx) error {
	id, ok := pathID(c)
	if !ok {
		return outbox.ErrSubscriptionNotFound
	}
	if err := s.Push.Delete(c.UserContext(), callerOf(c), id); err != nil {
		return err
	}
	return send(c, fiber.StatusOK, messageView{"This browser shows no reminders any more."})
}
