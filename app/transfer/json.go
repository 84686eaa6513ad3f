package transfer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"taskapi/app/account"
	"taskapi/app/operate"
	"taskapi/app/todo"

	"golang.org/x/text/encoding/unicode"
)

// JSON is an import from a file {"users": [{…}], "tasks": [{…}]}, as WriteJSON
// makes it. Other members are passed over.
type JSON struct{ Path string }

var _ operate.ImportSource = JSON{}

// Users calls each for every user of the file.
func (j JSON) Users(ctx context.Context, each func(operate.ImportRow) error) error {
	return j.list(ctx, "users", each)
}

// Tasks calls each for every task of the file.
func (j JSON) Tasks(ctx context.Context, each func(operate.ImportRow) error) error {
	return j.list(ctx, "tasks", each)
}

// RefreshTokens is 0: a file has none.
func (JSON) RefreshTokens(context.Context) (int64, error) { return 0, nil }

// list walks one list of the file and passes over the rest.
func (j JSON) list(ctx context.Context, name string, each func(operate.ImportRow) error) (err error) {
	file, err := openFile(j.Path)
	if err != nil {
		return fmt.Errorf("%s can't be read; name a file of users and tasks (%w)", j.Path, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := walker{Decoder: json.NewDecoder(utf8Text(file)), path: j.Path}
	if err := w.expect('{'); err != nil {
		return err
	}
	for w.More() {
		member, err := w.Token()
		if err != nil {
			return w.broken(err)
		}
		if member == name {
			err = w.rows(name, each)
		} else {
			err = w.pass(ctx)
		}
		if err != nil {
			return err
		}
	}
	if err := w.expect('}'); err != nil {
		return err
	}
	if _, err := w.Token(); !errors.Is(err, io.EOF) {
		return w.broken(errForm)
	}
	return nil
}

// walker reads a document piece by piece.
type walker struct {
	*json.Decoder
	path string
}

func (w walker) broken(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%s is no JSON of users and tasks, after %d bytes; export it again (%w)", w.path, w.InputOffset(), err)
}

var errForm = errors.New(`the form is {"users": […], "tasks": […]}`)

func (w walker) expect(delim json.Delim) error {
	got, err := w.Token()
	if err == nil && got != delim {
		err = errForm
	}
	if err != nil {
		return w.broken(err)
	}
	return nil
}

func (w walker) rows(name string, each func(operate.ImportRow) error) error {
	if err := w.expect('['); err != nil {
		return err
	}
	for i := 0; w.More(); i++ {
		var raw json.RawMessage
		if err := w.Decode(&raw); err != nil {
			return w.broken(err)
		}
		row := readObject(raw)
		row.Where = fmt.Sprintf("%s[%d]", name, i)
		if err := each(row); err != nil {
			return err
		}
	}
	return w.expect(']')
}

// pass reads one value, piece by piece, and forgets it.
func (w walker) pass(ctx context.Context) error {
	for depth := 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		piece, err := w.Token()
		if err != nil {
			return w.broken(err)
		}
		switch piece {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// readObject turns one object into a row. Texts must be texts: a number as a
// title is rather a column in the wrong place.
func readObject(raw json.RawMessage) operate.ImportRow {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil || members == nil {
		return operate.ImportRow{Problem: "It is not an object."}
	}
	row := operate.ImportRow{Values: make(map[string]string, len(members))}
	for name, member := range members {
		switch value := member.(type) {
		case nil:
		case string:
			row.Values[name] = value
		case json.Number:
			row.Values[name] = value.String()
		case bool:
			row.Values[name] = fmt.Sprint(value)
		default:
			row.Values[name] = "{…}" // a list or an object, which no column takes
		}
		if _, text := member.(string); !text && member != nil && isText(name) {
			row.Problem = "The field " + name + " must be a string."
		}
	}
	// encoding/json puts U+FFFD where there is no character.
	if !utf8.Valid(raw) || bytes.Contains(raw, []byte(`\u`)) && replaced(row, raw) {
		row.Problem = "It holds what is not Unicode text."
	}
	return row
}

// replaced reports whether a text has a U+FFFD that does not stand there.
func replaced(row operate.ImportRow, raw []byte) bool {
	if bytes.ContainsRune(raw, utf8.RuneError) || bytes.Contains(bytes.ToLower(raw), []byte(`\ufffd`)) {
		return false
	}
	for _, value := range row.Values {
		if strings.ContainsRune(value, utf8.RuneError) {
			return true
		}
	}
	return false
}

func isText(column string) bool {
	switch column {
	case "username", "email", "password", "title", "description", "date_created", "date_completed", "priority", "due", "due_zone", "start":
		return true
	}
	return false
}

// utf8Text reads a text in UTF-8, or in UTF-16 as Windows saves it, without the
// byte order mark that some editors put first. UTF-16 without a mark is known by
// its first letter, which is of ASCII in all that is imported.
func utf8Text(file io.Reader) io.Reader {
	in := bufio.NewReaderSize(file, 1<<16)
	first, _ := in.Peek(3) // with less, there is nothing to find out
	switch {
	case string(first) == "\ufeff":
		_, _ = in.Discard(3) // they have been peeked at
	case len(first) < 2:
	case first[0] == 0xff && first[1] == 0xfe, first[0] != 0 && first[1] == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(in)
	case first[0] == 0xfe && first[1] == 0xff, first[0] == 0 && first[1] != 0:
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Reader(in)
	}
	return in
}

// user and task are what a file holds of them.
type user struct {
	ID          int64  `json:"id"`
	Username    string `json:"username"`
	Email       string `json:"email"`
	Password    string `json:"password,omitempty"`
	Role        string `json:"role"`
	DateCreated string `json:"date_created"`
}

type task struct {
	ID            int64   `json:"id"`
	Title         string  `json:"title"`
	Description   string  `json:"description"`
	Completed     bool    `json:"completed"`
	DateCreated   string  `json:"date_created"`
	DateCompleted *string `json:"date_completed"`
	UserID        int64   `json:"user_id"`
	Priority      string  `json:"priority"`
	Due           string  `json:"due,omitempty"`
	DueZone       string  `json:"due_zone,omitempty"`
	Start         string  `json:"start,omitempty"`
}

// dueText is empty for a date that is not set.
func dueText(d todo.Due) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// WriteJSON exports everything to a file, which is there when it is whole.
func WriteJSON(ctx context.Context, path string, store Store, o Options) error {
	d, err := newDraft(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(d, 1<<16)
	w := &jsonWriter{out: out, count: counter{progress: o.Progress}}
	w.text(`{"users": [`)
	err = store.Export(ctx, func(u account.User) error {
		hash := ""
		if o.Hashes {
			hash = u.PasswordHash
		}
		w.element(user{u.ID, u.Username, u.Email, hash, string(u.Role), moment(u.CreatedAt)})
		w.count.user()
		return w.err
	}, func(t todo.Task) error {
		w.tasks()
		var done *string
		if t.Completed() {
			at := moment(t.CompletedAt)
			done = &at
		}
		w.element(task{t.ID, t.Title, t.Description, t.Completed(), moment(t.CreatedAt), done, t.UserID,
			t.Priority.String(), dueText(t.Dates.Due), t.Dates.Due.Zone, dueText(t.Dates.Start)})
		w.count.task()
		return w.err
	})
	w.tasks()
	w.text("\n]}\n")
	if err == nil {
		err = errors.Join(w.err, out.Flush())
	}
	return finish(err, d)
}

// jsonWriter writes two lists, an element a line, until something fails.
type jsonWriter struct {
	out     *bufio.Writer
	err     error
	some    bool // the list has an element
	inTasks bool
	count   counter
}

func (w *jsonWriter) text(s string) {
	if w.err == nil {
		_, w.err = w.out.WriteString(s)
	}
}

func (w *jsonWriter) tasks() {
	if !w.inTasks {
		w.inTasks, w.some = true, false
		w.text("\n],\n\"tasks\": [")
	}
}

func (w *jsonWriter) element(value any) {
	if w.some {
		w.text(",")
	}
	w.some = true
	w.text("\n")
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil && w.err == nil {
		w.err = err
	}
	w.text(strings.TrimSuffix(line.String(), "\n"))
}
