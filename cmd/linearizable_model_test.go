package cmd

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"
)

// taskIn is a request about one task, which the client has given a uid.
type taskIn struct {
	uid  string
	do   string // "create", "title", "description", "delete", "restore" or "read"
	text string // the title or description that it sets
	// match is the version in its If-Match; 0 for none.
	match int64
	// key is its Idempotency-Key; empty for none.
	key string
}

// taskOut is what a request was answered.
type taskOut struct {
	// lost says that no answer came: it is not known whether the request was served, or is
	// to be served at some time.
	lost     bool
	status   int
	code     string
	replayed bool
	shown    taskSeen
}

// taskSeen is a task as an answer shows it; zero where it shows none.
type taskSeen struct {
	id, version        int64
	title, description string
}

// taskState is what a task is, by the contract.
type taskState struct {
	life string // empty before it is made, then "live" or "trash"
	// seen is what it shows. Its id or version is 0 if the answer that told it was lost.
	seen taskSeen
	// past is a version that it had before, from the key of the request that gave it this one,
	// while its version is not known.
	past int64
	from string
	// kept are the answers by their keys, as a text, so that states compare.
	kept string
}

// step tells whether a request can have been answered so, and what the task is then.
func (s taskState) step(in taskIn, out taskOut) (bool, taskState) {
	first, again := s.answer(in.key)
	switch {
	case again && out.lost:
		return true, s
	case again:
		// Of a first answer that was lost, this one tells the version.
		s.kept = keepAnswer(s.kept, in.key, out)
		if s.from == in.key {
			s = s.know(out.shown.version, out.shown.id)
		}
		return out.replayed && (first == textOf(out) || first == textOf(lost(out))), s
	}
	s = s.learn(in, out)
	want, after := s.apply(in, out)
	if want.status < 300 && in.key != "" {
		if out.lost {
			want = lost(want)
		}
		after.kept = keepAnswer(after.kept, in.key, want)
	}
	return want == out || out.lost, after
}

// learn completes what is known of a task by an answer that shows it as it was.
func (s taskState) learn(in taskIn, out taskOut) taskState {
	version := out.shown.version
	switch {
	case s.life == "" || out.lost:
		return s
	case out.status == 200 && in.match != 0:
		version = in.match
	case out.status == 200 && in.do != "read" && in.do != "create":
		version = 0 // it is that of after the change
	}
	return s.know(version, out.shown.id)
}

// know sets the version and the id, where they are not known.
func (s taskState) know(version, id int64) taskState {
	if s.seen.version == 0 && version > s.past {
		s.seen.version, s.from = version, ""
	}
	s.seen.id = cmp.Or(s.seen.id, id)
	return s
}

// apply returns how a request is answered, and what the task is then. Ids and versions
// are the server's to choose, each version greater than all before.
func (s taskState) apply(in taskIn, out taskOut) (want taskOut, after taskState) {
	after = s
	now := func(status int) (taskOut, taskState) {
		after.past = max(s.past, s.seen.version)
		if after.seen.version, after.from = 0, in.key; !out.lost {
			after.seen.version, after.from = max(out.shown.version, after.past+1), ""
		}
		return taskOut{status: status, shown: after.seen}, after
	}
	live := s.life == "live"
	switch {
	case in.do == "create" && s.life == "":
		after.life, after.seen = "live", taskSeen{id: out.shown.id, title: in.text}
		return now(201)
	case in.do == "create" && live:
		return taskOut{status: 200, shown: s.seen}, s
	case in.do == "create":
		return taskOut{status: 409, code: "in_trash"}, s
	case in.do == "restore" && s.life == "trash":
		after.life = "live"
		return now(200)
	case in.do == "restore" && live:
		return taskOut{status: 409, code: "not_in_trash"}, s
	case !live:
		return taskOut{status: 404, code: "task_not_found"}, s
	case in.do == "read":
		return taskOut{status: 200, shown: s.seen}, s
	case in.match != 0 && in.match != s.seen.version:
		return taskOut{status: 412, code: "changed_meanwhile", shown: s.seen}, s
	case in.do == "delete":
		after.life = "trash"
		return taskOut{status: 200}, after
	case in.do == "title":
		after.seen.title = in.text
	default:
		after.seen.description = in.text
	}
	return now(200)
}

// answer returns what was kept for a key.
func (s taskState) answer(key string) (text string, found bool) {
	if key == "" {
		return "", false
	}
	_, rest, found := strings.Cut(s.kept, "\n"+key+" ")
	text, _, _ = strings.Cut(rest, "\n")
	return text, found
}

// keepAnswer keeps an answer, in an order that does not tell when.
func keepAnswer(kept, key string, out taskOut) string {
	lines := strings.FieldsFunc(kept, func(r rune) bool { return r == '\n' })
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, key+" ") })
	lines = append(lines, key+" "+textOf(out))
	slices.Sort(lines)
	return "\n" + strings.Join(lines, "\n") + "\n"
}

// textOf is all that must come again.
func textOf(out taskOut) string { return fmt.Sprintf("%d %+q", out.status, fmt.Sprint(out.shown)) }

// lost is what is known of an answer that was lost.
func lost(out taskOut) taskOut {
	out.shown.id, out.shown.version = 0, 0
	return out
}

// taskModel is what a history of requests is held against, each task by itself.
func taskModel() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
			at := map[string]int{}
			for _, operation := range history {
				uid := operation.Input.(taskIn).uid
				if _, known := at[uid]; !known {
					at[uid] = len(parts)
					parts = append(parts, nil)
				}
				parts[at[uid]] = append(parts[at[uid]], operation)
			}
			return parts
		},
		Init:              func() any { return taskState{} },
		Step:              func(state, in, out any) (bool, any) { return state.(taskState).step(in.(taskIn), out.(taskOut)) },
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v: %+v", in, out) },
	}
}

// The model takes what can be, and finds each kind of what can't.
func TestTheModelFindsWhatCanNotBe(t *testing.T) {
	seen := func(version int64, title, description string) taskSeen {
		return taskSeen{7, version, title, description}
	}
	type request struct {
		in         taskIn
		out        taskOut
		from, till int64
	}
	made := request{taskIn{do: "create", text: "a", key: "k"}, taskOut{status: 201, shown: seen(2, "a", "")}, 0, 1}
	title := request{taskIn{do: "title", text: "b"}, taskOut{status: 200, shown: seen(3, "b", "")}, 2, 5}
	read := func(status int, code string, shown taskSeen, from, till int64) request {
		return request{taskIn{do: "read"}, taskOut{status: status, code: code, shown: shown}, from, till}
	}
	again := func(status int, replayed bool, shown taskSeen) request {
		return request{made.in, taskOut{status: status, replayed: replayed, shown: shown}, 6, 7}
	}
	lost := func(in taskIn, from int64) request { return request{in, taskOut{lost: true}, from, math.MaxInt64} }
	deleted := request{taskIn{do: "delete"}, taskOut{status: 200}, 2, 3}
	for what, c := range map[string]struct {
		history []request
		can     bool
	}{
		"a change, seen or not while it is made": {[]request{made, title, read(200, "", seen(2, "a", ""), 3, 4), read(200, "", seen(3, "b", ""), 3, 4)}, true},
		"a change that is not seen":              {[]request{made, title, read(200, "", seen(2, "a", ""), 6, 7)}, false},
		"a change that is gone again":            {[]request{made, title, read(200, "", seen(3, "b", ""), 2, 3), read(200, "", seen(2, "a", ""), 4, 5)}, false},
		"two fields":                             {[]request{made, title, {taskIn{do: "description", text: "d"}, taskOut{status: 200, shown: seen(4, "b", "d")}, 2, 5}}, true},
		"a field that another change has reset":  {[]request{made, title, {taskIn{do: "description", text: "d"}, taskOut{status: 200, shown: seen(4, "a", "d")}, 6, 7}}, false},
		"a version that was given before":        {[]request{made, {title.in, taskOut{status: 200, shown: seen(2, "b", "")}, 2, 5}}, false},
		"an answer again":                        {[]request{made, title, again(201, true, made.out.shown)}, true},
		"another answer again":                   {[]request{made, title, again(200, true, title.out.shown)}, false},
		"a request that was made twice":          {[]request{made, title, again(200, false, title.out.shown)}, false},
		"an answer again without a first":        {[]request{again(201, true, made.out.shown)}, false},
		"an answer again, whose first was lost":  {[]request{lost(made.in, 0), again(201, true, made.out.shown), read(200, "", made.out.shown, 8, 9)}, true},
		"another answer again, of a lost one":    {[]request{lost(made.in, 0), again(201, true, seen(2, "b", ""))}, false},
		"what was lost and is not done":          {[]request{lost(made.in, 0), read(404, "task_not_found", taskSeen{}, 8, 9)}, true},
		"what was lost and done late":            {[]request{made, lost(title.in, 2), read(200, "", made.out.shown, 3, 4), read(200, "", title.out.shown, 5, 6)}, true},
		"what was lost and done twice": {[]request{made, lost(title.in, 2), read(200, "", title.out.shown, 3, 4),
			{taskIn{do: "title", text: "c"}, taskOut{status: 200, shown: seen(4, "c", "")}, 5, 6}, read(200, "", seen(5, "b", ""), 7, 8)}, false},
		"what was lost, and is known then": {[]request{made, lost(title.in, 2), {taskIn{do: "description", text: "d", match: 3}, taskOut{status: 200, shown: seen(4, "b", "d")}, 6, 7}}, true},
		"what is known":                    {[]request{made, {taskIn{do: "title", text: "b", match: 2}, title.out, 2, 5}}, true},
		"what is known no more":            {[]request{made, title, {taskIn{do: "title", text: "c", match: 2}, taskOut{status: 200, shown: seen(4, "c", "")}, 6, 7}}, false},
		"two of what both know": {[]request{made, {taskIn{do: "title", text: "b", match: 2}, title.out, 2, 5},
			{taskIn{do: "title", text: "c", match: 2}, taskOut{status: 200, shown: seen(4, "c", "")}, 2, 5}}, false},
		"what is deleted":        {[]request{made, deleted, read(404, "task_not_found", taskSeen{}, 4, 5)}, true},
		"what is deleted and is": {[]request{made, deleted, read(200, "", made.out.shown, 4, 5)}, false},
		"what comes back": {[]request{made, deleted,
			{taskIn{do: "restore"}, taskOut{status: 200, shown: seen(4, "a", "")}, 4, 5}}, true},
		"what comes back as another": {[]request{made, deleted,
			{taskIn{do: "restore"}, taskOut{status: 200, shown: seen(4, "b", "")}, 4, 5}}, false},
		"two of one uid": {[]request{made, {taskIn{do: "create", text: "b"}, taskOut{status: 201, shown: taskSeen{8, 3, "b", ""}}, 2, 3}}, false},
	} {
		var history []porcupine.Operation
		for i, r := range c.history {
			history = append(history, porcupine.Operation{ClientId: i, Input: r.in, Output: r.out, Call: r.from, Return: r.till})
		}
		if porcupine.CheckOperations(taskModel(), history) != c.can {
			t.Errorf("%s: it can be is %t", what, !c.can)
		}
	}
}
