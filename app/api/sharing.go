package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/todo"
)

type memberView struct {
	UserID     int64  `json:"user_id"`
	Username   string `json:"username"`
	Email      string `json:"email,omitempty"`
	Role       string `json:"role"`
	DateJoined string `json:"date_joined"`
}

func viewMember(m todo.Member) memberView {
	return memberView{UserID: m.UserID, Username: m.Username, Email: m.Email, Role: m.Role.String(), DateJoined: timestamp(m.JoinedAt)}
}

type membersAnswer struct {
	Members    []memberView   `json:"members"`
	Pagination paginationView `json:"pagination"`
}

type memberAnswer struct {
	Message string     `json:"message"`
	Member  memberView `json:"member"`
}

type invitationView struct {
	ID        int64   `json:"id"`
	Role      string  `json:"role"`
	Email     *string `json:"email"`
	URL       string  `json:"url,omitempty"`
	ExpiresAt string  `json:"expires_at"`
}

func viewInvitation(i todo.Invitation) invitationView {
	return invitationView{ID: i.ID, Role: i.Role.String(), Email: optionalText(i.Email), URL: i.URL, ExpiresAt: timestamp(i.ExpiresAt)}
}

type invitationsAnswer struct {
	Invitations []invitationView `json:"invitations"`
	Pagination  paginationView   `json:"pagination"`
}

type invitationAnswer struct {
	Message    string         `json:"message"`
	Invitation invitationView `json:"invitation"`
}

// offerView is what who holds a link sees of an invitation.
type offerView struct {
	List struct {
		Name string `json:"name"`
	} `json:"list"`
	Role      string `json:"role"`
	InvitedBy string `json:"invited_by"`
}

func (s *Server) listMembers(c *fiber.Ctx) error {
	page, pagination, err := pageOfList(c, "members", s.Lists.Members)
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, membersAnswer{views(page.Items, viewMember), pagination})
}

// pageOfList loads a page of what belongs to the list in a path.
func pageOfList[T any](c *fiber.Ctx, of string, load func(context.Context, app.Caller, todo.Ref, app.PageRequest) (app.Page[T], error)) (app.Page[T], paginationView, error) {
	request, err := pageRequest(c)
	if err != nil {
		return app.Page[T]{}, paginationView{}, err
	}
	ref, err := listRef(c)
	if err != nil {
		return app.Page[T]{}, paginationView{}, err
	}
	page, err := load(c.UserContext(), callerOf(c), ref, request)
	if err != nil {
		return page, paginationView{}, err
	}
	pagination := viewPagination(page)
	link(c, "/lists/"+segment(c, "id")+"/"+of, "", pagination)
	return page, pagination, nil
}

// memberOf reads the list and the member in a path.
func memberOf(c *fiber.Ctx) (todo.Ref, int64, error) {
	ref, err := listRef(c)
	if err != nil {
		return ref, 0, err
	}
	id, ok := positive(segment(c, "user_id"))
	if !ok {
		return ref, 0, todo.ErrMemberNotFound
	}
	return ref, id, nil
}

func (s *Server) updateMember(c *fiber.Ctx) error {
	in, err := s.body(c, "role")
	if err != nil {
		return err
	}
	ref, id, err := memberOf(c)
	if err != nil {
		return err
	}
	member, err := s.Lists.ChangeMember(c.UserContext(), callerOf(c), ref, id, in.text("role"))
	if err != nil {
		return err
	}
	shows(c, member.ListID)
	return send(c, fiber.StatusOK, memberAnswer{"Member updated successfully.", viewMember(member)})
}

func (s *Server) removeMember(c *fiber.Ctx) error {
	ref, id, err := memberOf(c)
	if err != nil {
		return err
	}
	if err := s.Lists.RemoveMember(c.UserContext(), callerOf(c), ref, id); err != nil {
		return err
	}
	return send(c, fiber.StatusOK, messageView{"Member removed successfully."})
}

func (s *Server) listInvitations(c *fiber.Ctx) error {
	page, pagination, err := pageOfList(c, "invitations", s.Invitations.List)
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, invitationsAnswer{views(page.Items, viewInvitation), pagination})
}

func (s *Server) createInvitation(c *fiber.Ctx) error {
	in, err := s.body(c, "role", "email")
	if err != nil {
		return err
	}
	ref, err := listRef(c)
	if err != nil {
		return err
	}
	invitation, err := s.Invitations.Create(c.UserContext(), callerOf(c), ref, in.text("role"), in.text("email"))
	if err != nil {
		return err
	}
	shows(c, invitation.ListID)
	return send(c, fiber.StatusCreated, invitationAnswer{"Invitation created successfully.", viewInvitation(invitation)})
}

func (s *Server) revokeInvitation(c *fiber.Ctx) error {
	ref, err := listRef(c)
	if err != nil {
		return err
	}
	id, ok := positive(segment(c, "invitation_id"))
	if !ok {
		return todo.ErrInvitationNotFound
	}
	if err := s.Invitations.Revoke(c.UserContext(), callerOf(c), ref, id); err != nil {
		return err
	}
	return send(c, fiber.StatusOK, messageView{"Invitation revoked successfully."})
}

func (s *Server) getInvitation(c *fiber.Ctx) error {
	invitation, err := s.Invitations.Look(c.UserContext(), segment(c, "token"))
	if err != nil {
		return err
	}
	view := offerView{Role: invitation.Role.String(), InvitedBy: invitation.InvitedBy}
	view.List.Name = invitation.ListName
	return send(c, fiber.StatusOK, view)
}

func (s *Server) acceptInvitation(c *fiber.Ctx) error {
	in, err := s.body(c, "token")
	if err != nil {
		return err
	}
	list, err := s.Invitations.Accept(c.UserContext(), callerOf(c), in.text("token"))
	if err != nil {
		return err
	}
	return s.sendList(c, fiber.StatusOK, "Invitation accepted.", list)
}
