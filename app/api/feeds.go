package api

import (
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/todo"
)

// mimeCalendar is the media type of a feed (RFC 5545 section 8.1).
const mimeCalendar = "text/calendar; charset=utf-8"

type feedView struct {
	ID          int64         `json:"id"`
	ListID      *int64        `json:"list_id"`
	As          todo.FeedForm `json:"as"`
	DateCreated string        `json:"date_created"`
	// URL is shown when it is made and never again.
	URL string `json:"url,omitempty"`
}

func viewFeed(f todo.Feed) feedView {
	view := feedView{ID: f.ID, As: f.Form, DateCreated: timestamp(f.CreatedAt), URL: f.URL}
	if f.ListID != 0 {
		view.ListID = &f.ListID
	}
	return view
}

type feedAnswer struct {
	Message string   `json:"message"`
	Feed    feedView `json:"feed"`
}

type feedsAnswer struct {
	Feeds      []feedView     `json:"feeds"`
	Pagination paginationView `json:"pagination"`
}

// feedRoutes are those of addresses at which calendars are read. What is secret in one is a
// parameter of its route, so that neither the log nor the metrics have it.
func (s *Server) feedRoutes() []route {
	const account = app.ScopeAccount
	none, pages := query{}, query{"page", "per_page"}
	return []route{
		{fiber.MethodGet, "/feeds/", signedIn, account, pages, s.paged(s.listFeeds)},
		{fiber.MethodPost, "/feeds/", signedIn, account, none, s.once(s.createFeed)},
		{fiber.MethodDelete, "/feeds/:id", signedIn, account, none, s.once(s.revokeFeed)},
		{fiber.MethodGet, "/feeds/:secret.ics", public, "", none, s.readFeed},
	}
}

func (s *Server) createFeed(c *fiber.Ctx) error {
	fields, err := s.body(c, "list_id", "as")
	if err != nil {
		return err
	}
	ref := fields.ref("list_id")
	list := app.Field[int64]{State: ref.State}
	if ref.State == app.Present {
		found, err := s.Lists.Get(c.UserContext(), callerOf(c), ref.Value)
		if err != nil {
			return err
		}
		list.Value = found.ID
	}
	made, err := s.Feeds.Create(c.UserContext(), callerOf(c), list, fields.text("as"))
	if err != nil {
		return err
	}
	return send(c, fiber.StatusCreated, feedAnswer{"Feed created. Keep its URL now: it is not shown again, and whoever knows it can read the feed.", viewFeed(made)})
}

func (s *Server) listFeeds(c *fiber.Ctx) error {
	request, err := pageRequest(c)
	if err != nil {
		return err
	}
	page, err := s.Feeds.List(c.UserContext(), callerOf(c), request)
	if err != nil {
		return err
	}
	pagination := viewPagination(page)
	link(c, "/feeds/", "", pagination)
	return send(c, fiber.StatusOK, feedsAnswer{views(page.Items, viewFeed), pagination})
}

func (s *Server) revokeFeed(c *fiber.Ctx) error {
	id, ok := pathID(c)
	if !ok {
		return todo.ErrFeedNotFound
	}
	if err := s.Feeds.Revoke(c.UserContext(), callerOf(c), id); err != nil {
		return err
	}
	return send(c, fiber.StatusOK, messageView{"Feed revoked."})
}

// feedRate is how often a feed may be read beyond what answers 304.
func feedRate() app.Rate { return app.Rate{Burst: 60, Every: time.Minute} }

// readFeed answers whoever knows the address.
func (s *Server) readFeed(c *fiber.Ctx) error {
	c.Set("X-Robots-Tag", "noindex")
	feed, err := s.Feeds.Open(c.UserContext(), segment(c, "secret"))
	if err != nil {
		return err
	}
	unchanged := matches(c, feed.ETag)
	if !unchanged {
		if err := s.limitFeed(c, feed); err != nil {
			return err
		}
		write := func(c *fiber.Ctx) error { return s.sendFeed(c, feed) }
		if err := s.paged(write)(c); err != nil {
			return err
		}
	}
	c.Set(fiber.HeaderETag, feed.ETag)
	c.Set(fiber.HeaderCacheControl, "private, max-age=900")
	if unchanged {
		c.Status(fiber.StatusNotModified)
	}
	return nil
}

// limitFeed counts one more reading of a feed.
func (s *Server) limitFeed(c *fiber.Ctx, feed todo.FeedState) error {
	if s.Limiter == nil {
		return nil
	}
	wait, first := s.Limiter.Take(fmt.Sprint("feed ", feed.ID), feedRate())
	if wait == 0 {
		return nil
	}
	if first {
		s.Audit.LimitedAccount(c.UserContext(), callerOf(c), feed.UserID, s.Now(), "feed")
	}
	return app.TooMany(wait)
}

func (s *Server) sendFeed(c *fiber.Ctx, feed todo.FeedState) error {
	text, err := s.Feeds.Text(c.UserContext(), feed)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, mimeCalendar)
	return c.Send(text)
}
