package todo

import (
	"context"
	"regexp"
	"strings"

	"taskapi/app"
)

// Make adds a list under a name that the client chose. Nil leaves a part to be the default.
// Returns KindInvalid errors, ErrExists, ErrUIDTaken and ErrTooManyLists.
func (c *Calendars) Make(ctx context.Context, caller app.Caller, listUID string, name, color *string, order *int64) error {
	if !validName(listUID) {
		return ErrCalendarName
	}
	list := NewList{UID: listUID, Name: lineOf(listUID), CreatedAt: c.Now(), Order: order, Anew: true}
	if name != nil && lineOf(*name) != "" {
		list.Name = lineOf(*name)
	}
	if color != nil {
		list.Color = calendarColor(*color)
	}
	if list.Name == "" {
		return ErrCalendarName
	}
	if err := checkOrder(order); err != nil {
		return err
	}
	_, err := c.Lists.Store.CreateList(ctx, caller, list)
	return err
}

// Change changes the name and the color of a list, which are its owner's, and the caller's own
// order. Nil leaves a part as it is. Returns ErrListNotFound, ErrNotListOwner and KindInvalid
// errors.
func (c *Calendars) Change(ctx context.Context, caller app.Caller, listUID string, name, color *string, order *int64) error {
	change := ListChange{Order: order, Now: c.Now()}
	if name != nil {
		line := lineOf(*name)
		if line == "" {
			return app.Mistake("name", app.Required("name"))
		}
		change.Name = &line
	}
	if color != nil {
		plain := calendarColor(*color)
		change.Color = &plain
	}
	if err := checkOrder(order); err != nil {
		return err
	}
	_, err := c.Lists.Store.UpdateList(ctx, caller, listRef(listUID), change)
	return err
}

// checkOrder returns a KindInvalid error for a place that not every client can hold exactly.
func checkOrder(order *int64) error {
	if order != nil && (*order <= -maxPosition || *order >= maxPosition) {
		return app.Mistake("position", "The field position must be below 2^53.")
	}
	return nil
}

var clientColor = regexp.MustCompile(`^#[0-9a-f]{6}(?:[0-9a-f]{2})?$`)

// calendarColor returns a color as it is stored, of one with or without opacity; empty for
// another one.
func calendarColor(text string) string {
	color := strings.ToLower(strings.TrimSpace(text))
	if !clientColor.MatchString(color) {
		return ""
	}
	return color[:7]
}

// Remove moves a list of the caller's to the trash, or lets them leave one of somebody else's.
// Returns ErrListNotFound and ErrInboxFixed.
func (c *Calendars) Remove(ctx context.Context, caller app.Caller, listUID string) error {
	list, err := c.Lists.Store.List(ctx, caller.UserID, listRef(listUID))
	if err != nil {
		return err
	}
	if list.Role != RoleOwner {
		return c.Lists.RemoveMember(ctx, caller, ByID(list.ID), caller.UserID)
	}
	_, err = c.Lists.Delete(ctx, caller, ByID(list.ID), nil)
	return err
}
