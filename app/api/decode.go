package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"taskapi/app"
)

// maxDepth is how deep the JSON of a request may nest. What we read is flat.
const maxDepth = 16

// fields are the members of a request's JSON object. Those nobody asks for are
// ignored.
type fields map[string]member

type member struct {
	kind jsontext.Kind // as in jsontext: 'n' null, 't', 'f', '"', '0', '{', '['
	text string        // of a string or number
	list []string      // of an array of strings
	odd  bool          // of an array with anything else in it
}

// body reads the request as one JSON object (I-JSON, RFC 7493: no name twice,
// no invalid UTF-8, no lone surrogate). Anything else is errNotJSON.
func body(c *fiber.Ctx) (fields, error) {
	if !isJSON(c.Get(fiber.HeaderContentType)) {
		return nil, errNotJSON
	}
	read, err := parse(c.Request().Body())
	if err != nil {
		return nil, errNotJSON.With(err)
	}
	return read, nil
}

// optionalBody is body where a request needs none. One that does not say that
// it is JSON was never read, and is not now.
func optionalBody(c *fiber.Ctx) (fields, error) {
	if !isJSON(c.Get(fiber.HeaderContentType)) || len(bytes.TrimSpace(c.Request().Body())) == 0 {
		return fields{}, nil
	}
	return body(c)
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == fiber.MIMEApplicationJSON
}

var (
	errNotObject = errors.New("not one JSON object")
	errTooDeep   = errors.New("nested too deep")
)

func parse(data []byte) (fields, error) {
	in := jsontext.NewDecoder(bytes.NewBuffer(data))
	if token, err := in.ReadToken(); err != nil || token.Kind() != '{' {
		return nil, errors.Join(errNotObject, err)
	}
	out := fields{}
	for in.PeekKind() != '}' {
		name, err := in.ReadToken()
		if err != nil {
			return nil, err
		}
		// The token is a view that ends with the next read.
		key := name.String()
		if out[key], err = readMember(in); err != nil {
			return nil, err
		}
	}
	if _, err := in.ReadToken(); err != nil {
		return nil, err
	}
	if _, err := in.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.Join(errNotObject, err)
	}
	return out, nil
}

// readMember reads one value. Objects and arrays are checked to their end;
// only the strings of an array are kept.
func readMember(in *jsontext.Decoder) (member, error) {
	token, err := in.ReadToken()
	if err != nil {
		return member{}, err
	}
	m := member{kind: token.Kind()}
	if m.kind == '"' || m.kind == '0' {
		m.text = token.String()
	}
	for in.StackDepth() > 1 {
		if in.StackDepth() > maxDepth {
			return member{}, errTooDeep
		}
		token, err := in.ReadToken()
		if err != nil {
			return member{}, err
		}
		switch {
		case in.StackDepth() == 1: // the end of it
		case token.Kind() == '"' && m.kind == '[':
			m.list = append(m.list, token.String())
		default:
			m.odd = true
		}
	}
	return m, nil
}

func field[T any](f fields, name string, value func(member) (T, bool)) app.Field[T] {
	m, there := f[name]
	switch {
	case !there:
		return app.Field[T]{}
	case m.kind == 'n':
		return app.Field[T]{State: app.Null}
	}
	if v, ok := value(m); ok {
		return app.Given(v)
	}
	return app.Field[T]{State: app.Mistyped}
}

func (f fields) text(name string) app.Field[string] {
	return field(f, name, func(m member) (string, bool) { return m.text, m.kind == '"' })
}

func (f fields) texts(name string) app.Field[[]string] {
	return field(f, name, func(m member) ([]string, bool) { return m.list, m.kind == '[' && !m.odd })
}

func (f fields) boolean(name string) app.Field[bool] {
	return field(f, name, func(m member) (bool, bool) { return m.kind == 't', m.kind == 't' || m.kind == 'f' })
}

// integer reads a number without fraction or exponent. One beyond 64 bits
// becomes the largest or smallest, which is nobody's id.
func (f fields) integer(name string) app.Field[int64] {
	return field(f, name, func(m member) (int64, bool) {
		if m.kind != '0' {
			return 0, false
		}
		n, err := strconv.ParseInt(m.text, 10, 64)
		return n, err == nil || errors.Is(err, strconv.ErrRange)
	})
}

// pathID reads the id of a path: a positive 64-bit integer in plain decimal
// digits, with no sign and no leading zero. Anything else names nothing.
func pathID(c *fiber.Ctx) (int64, bool) { return positive(c.Params("id")) }

func positive(text string) (int64, bool) {
	if text == "" || text[0] < '1' || text[0] > '9' {
		return 0, false
	}
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil
}
