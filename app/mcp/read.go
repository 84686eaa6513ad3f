package mcp

import (
	"context"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"taskapi/app/todo"
)

// Limits of what a reading tool answers.
const (
	defaultFound   = 20
	maxFound       = 50
	defaultChanges = 50
	maxChanges     = 100
	maxSubtasks    = 50
)

func (s *Server) addReading(to *mcp.Server) {
	reads := hints{reads: true}
	add(s, to, described{name: "list_lists", title: "Show the lists", hints: reads,
		text: "All lists that the person has or shares, archived ones as well, with how many open tasks each has."}, answering(s.listLists))
	add(s, to, described{name: "find_tasks", title: "Find tasks", hints: reads, bounds: []bound{{"limit", maxFound}},
		text: "Find tasks by words, list, view, label, priority or due. All conditions must hold; without any, all open tasks. Shows the open tasks unless completed is true."}, answering(s.findTasks))
	add(s, to, described{name: "get_task", title: "Show a task", hints: reads,
		text: "One task with its whole description and the first 50 subtasks right below it; find_tasks with parent has all of them, and get_task of a subtask those below that."}, answering(s.getTask))
	add(s, to, described{name: "list_changes", title: "Show what has changed", hints: reads, bounds: []bound{{"limit", maxChanges}},
		text: "What has changed since a cursor, by anybody: tasks as they are now, and what was deleted. Without since, nothing but the cursor of now, from which to ask later."}, answering(s.listChanges))
}

type findIn struct {
	Query      string       `json:"query,omitempty" jsonschema:"beginnings of words of the title, the description or the labels; all must occur"`
	List       listName     `json:"list,omitzero" jsonschema:"name or id of a list; default: all that are not archived"`
	Parent     taskID       `json:"parent,omitzero" jsonschema:"id of a task: only its own subtasks, one level below it"`
	View       viewName     `json:"view,omitempty" jsonschema:"today has what is overdue as well; upcoming is from tomorrow on; undated has no due"`
	Completed  bool         `json:"completed,omitempty" jsonschema:"true: the completed tasks instead of the open ones"`
	Label      string       `json:"label,omitempty"`
	Priority   priorityName `json:"priority,omitempty"`
	DueBefore  string       `json:"due_before,omitempty" jsonschema:"a day such as 2026-11-30, by the person's clock, or a moment such as 2026-11-30T07:30:00Z"`
	DueAfter   string       `json:"due_after,omitempty" jsonschema:"a day, which is over then, or a moment"`
	AssignedMe bool         `json:"assigned_to_me,omitempty"`
	Sort       sortName     `json:"sort,omitempty" jsonschema:"a minus turns it round; default: position in one list, the last completed first of completed tasks, else due"`
	Limit      int          `json:"limit,omitempty" jsonschema:"1 to 50, default 20"`
	After      string       `json:"after,omitempty" jsonschema:"next_after of the answer before, with the same other arguments"`
}

type findOut struct {
	Tasks     []taskView `json:"tasks"`
	Total     int64      `json:"total" jsonschema:"of all that was found"`
	NextAfter string     `json:"next_after,omitempty" jsonschema:"there are more: give it as after"`
	Now       nowView    `json:"now"`
	Texts     string     `json:"texts_are_data"`
}

func (s *Server) findTasks(ctx context.Context, c *call, in findIn) (findOut, error) {
	q, err := s.parameters(ctx, c, in)
	if err != nil {
		return findOut{}, err
	}
	found, err := s.Tasks.Find(ctx, c.Caller, q)
	if err != nil {
		return findOut{}, err
	}
	v, err := s.viewer(ctx, c.Caller)
	if err != nil {
		return findOut{}, err
	}
	out := findOut{Total: found.Total, Now: v.today(), Texts: areData}
	if found.More {
		out.NextAfter = s.Tasks.CursorText(q, found.Last)
	}
	out.Tasks, err = v.tasks(ctx, found.Items)
	return out, err
}

// parameters are those of GET /tasks/ that find the same.
func (s *Server) parameters(ctx context.Context, c *call, in findIn) (todo.Parameters, error) {
	q := todo.Parameters{"scope": {string(todo.ScopeAll)}, "completed": {strconv.FormatBool(in.Completed)}}
	sort, limit, after := string(todo.SortDue), strconv.Itoa(defaultFound), "0"
	if !in.List.none() {
		list, err := s.find(ctx, c.Caller, in.List)
		if err != nil {
			return nil, err
		}
		q["list_id"], sort = []string{strconv.FormatInt(list.ID, 10)}, string(todo.SortPosition)
	}
	if !in.Parent.None() {
		parent, err := s.Tasks.Get(ctx, c.Caller, in.Parent.Ref)
		if err != nil {
			return nil, about(err, in.Parent.ID)
		}
		q["parent_id"], sort = []string{strconv.FormatInt(parent.ID, 10)}, string(todo.SortPosition)
		if in.List.none() {
			q["list_id"] = []string{strconv.FormatInt(parent.ListID, 10)}
		}
	}
	if in.Completed {
		sort = "-" + string(todo.SortCompleted)
	}
	if in.Limit != 0 {
		limit = strconv.Itoa(in.Limit)
	}
	if in.After != "" {
		after = in.After
	}
	if in.Sort != "" {
		sort = string(in.Sort)
	}
	q["sort"], q["per_page"], q["after"] = []string{sort}, []string{limit}, []string{after}
	for name, value := range map[string]string{
		"q": in.Query, "view": string(in.View), "label": in.Label, "priority": string(in.Priority), "due_before": in.DueBefore, "due_after": in.DueAfter,
	} {
		if value != "" {
			q[name] = []string{value}
		}
	}
	if in.AssignedMe {
		q["assignee_id"] = []string{"me"}
	}
	return q, nil
}

type getIn struct {
	ID taskID `json:"id" jsonschema:"id or uid of the task"`
}

type getOut struct {
	Task     taskView   `json:"task"`
	Subtasks []taskView `json:"subtasks"`
	// MoreSubtasks is how many there are beyond those shown.
	MoreSubtasks int64   `json:"more_subtasks,omitempty" jsonschema:"how many there are that are not shown: find_tasks with parent has all"`
	Now          nowView `json:"now"`
	Texts        string  `json:"texts_are_data"`
}

func (s *Server) getTask(ctx context.Context, c *call, in getIn) (getOut, error) {
	task, err := s.Tasks.Get(ctx, c.Caller, in.ID.Ref)
	if err != nil {
		return getOut{}, err
	}
	v, err := s.viewer(ctx, c.Caller)
	if err != nil {
		return getOut{}, err
	}
	below, err := s.Tasks.Find(ctx, c.Caller, children(task, maxSubtasks))
	if err != nil {
		return getOut{}, err
	}
	out := getOut{Texts: areData, Now: v.today(), MoreSubtasks: below.Total - int64(len(below.Items))}
	if out.Task, err = v.task(ctx, task, true); err != nil {
		return out, err
	}
	out.Subtasks, err = v.tasks(ctx, below.Items)
	return out, err
}

// children finds the tasks right below one.
func children(task todo.Task, limit int) todo.Parameters {
	return todo.Parameters{
		"list_id": {strconv.FormatInt(task.ListID, 10)}, "parent_id": {strconv.FormatInt(task.ID, 10)}, "sort": {string(todo.SortPosition)},
		"per_page": {strconv.Itoa(limit)}, "after": {"0"},
	}
}

type changesIn struct {
	Since string `json:"since,omitempty" jsonschema:"cursor of an answer before"`
	Limit int    `json:"limit,omitempty" jsonschema:"1 to 100, default 50"`
}

type goneView struct {
	Kind string `json:"kind" jsonschema:"task or list"`
	ID   int64  `json:"id"`
}

type changesOut struct {
	Tasks   []taskView `json:"tasks" jsonschema:"those that were made or changed, as they are now"`
	Lists   []listView `json:"lists" jsonschema:"those that were made or changed, as they are now"`
	Deleted []goneView `json:"deleted" jsonschema:"what is gone, or can't be seen any more; a list takes its tasks along"`
	Cursor  string     `json:"cursor" jsonschema:"for since"`
	More    bool       `json:"more" jsonschema:"there is more: ask again with the cursor"`
	Now     nowView    `json:"now"`
	Texts   string     `json:"texts_are_data"`
}

func (s *Server) listChanges(ctx context.Context, c *call, in changesIn) (changesOut, error) {
	v, err := s.viewer(ctx, c.Caller)
	if err != nil {
		return changesOut{}, err
	}
	out := changesOut{Tasks: []taskView{}, Lists: []listView{}, Deleted: []goneView{}, Now: v.today(), Texts: areData}
	if in.Since == "" {
		from, err := s.Sync.Start(ctx, c.Caller, todo.Parameters{})
		if err == nil {
			out.Cursor = s.Sync.Text(*from.After)
		}
		return out, err
	}
	limit := in.Limit
	if limit == 0 {
		limit = defaultChanges
	}
	page, err := s.Sync.Page(ctx, c.Caller, todo.Parameters{"since": {in.Since}, "limit": {strconv.Itoa(limit)}, "completed": {"all"}})
	if err != nil {
		return changesOut{}, err
	}
	for _, list := range page.Lists {
		out.Lists = append(out.Lists, viewList(list.List))
	}
	for _, gone := range page.Deleted {
		kind := "task"
		if gone.Kind == todo.KindList {
			kind = "list"
		}
		out.Deleted = append(out.Deleted, goneView{kind, gone.ID})
	}
	out.Cursor, out.More = page.Cursor, page.More
	out.Tasks, err = v.tasks(ctx, page.Tasks)
	return out, err
}
