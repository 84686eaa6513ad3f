package transfer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"taskapi/app/operate"

	"golang.org/x/text/encoding/unicode"
)

// JSON is an import from a file {"version": 2, "users": [{…}], "lists": [{…}], "tasks":
// [{…}]}, as WriteJSON makes it, or from one of version 1, which knows neither lists nor
// its version. Other members are passed over.
type JSON struct{ Path string }

var _ operate.ImportSource = JSON{}

// Users calls each for every user of the file.
func (j JSON) Users(ctx context.Context, each func(operate.ImportRow) error) error {
	return j.list(ctx, "users", each)
}

// Lists calls each for every list of the file.
func (j JSON) Lists(ctx context.Context, each func(operate.ImportRow) error) error {
	return j.list(ctx, "lists", each)
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
		switch member {
		case name:
			err = w.rows(name, each)
		case "version":
			err = w.version()
		default:
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

// fileVersion is that of the files that WriteJSON makes.
const fileVersion = 2

// version refuses a file of which a part would be passed over.
func (w walker) version() error {
	var raw json.RawMessage
	if err := w.Decode(&raw); err != nil {
		return w.broken(err)
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil && n > fileVersion {
		return fmt.Errorf("%s has version %d, and this taskapi reads versions up to %d; import it with a newer one", w.path, n, fileVersion)
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
		row := readObject(name, raw)
		row.Where = fmt.Sprintf("%s[%d]", name, i)
		for inner, all := range row.Rows {
			for k := range all {
				all[k].Where = fmt.Sprintf("%s.%s[%d]", row.Where, inner, k)
			}
		}
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
