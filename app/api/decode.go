package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"taskapi/app"
)

// maxDepth is how deep the JSON of a request may nest. What we read is flat.
const maxDepth = 16

// maxMembers is how many members and elements the JSON of a request may have,
// all together: far more than any of ours, far less than what costs memory.
const maxMembers = 1000

// fields are the members of a request's JSON object that were asked for.
type fields map[string]member

type member struct {
	kind jsontext.Kind // as in jsontext: 'n' null, 't', 'f', '"', '0', '{', '['
	text string        // of a string or number
	list []string      // of an array of strings
	odd  bool          // of an array with anything else in it
}

// body reads the named members of the request's one JSON object (I-JSON, RFC
// 7493: no name twice, no invalid UTF-8, no lone surrogate), and of the others
// only that they are JSON. Anything else is errNotJSON, and what has more than
// maxMembers is errTooManyMembers.
func (s *Server) body(c *fiber.Ctx, names ...string) (fields, error) {
	if kind := c.Get(fiber.HeaderContentType); !isJSON(kind) {
		return nil, errNotJSON.Detailed(wrongType(kind))
	}
	data, lease, err := s.readBody(c)
	if err != nil {
		return nil, err
	}
	defer lease.give()
	return decode(data, names)
}

// optionalBody is body where a request needs none. One that does not say that
// it is JSON was never read, and is not now.
func (s *Server) optionalBody(c *fiber.Ctx, names ...string) (fields, error) {
	if !isJSON(c.Get(fiber.HeaderContentType)) {
		return fields{}, nil
	}
	data, lease, err := s.readBody(c)
	if err != nil {
		return nil, err
	}
	defer lease.give()
	if len(bytes.TrimSpace(data)) == 0 {
		return fields{}, nil
	}
	return decode(data, names)
}

func decode(data []byte, names []string) (fields, error) {
	read, err := parse(data, names)
	if errors.Is(err, errTooManyMembers) {
		return nil, err
	}
	if err != nil {
		return nil, errNotJSON.With(err).Detailed(wrongText(data, err))
	}
	return read, nil
}

// isJSON reports JSON and what is written in it (RFC 6839 section 3.1), such as
// JSON merge patch.
func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	subtype, application := strings.CutPrefix(kind, "application/")
	return err == nil && application && (subtype == "json" || len(subtype) > len("+json") && strings.HasSuffix(subtype, "+json"))
}

var (
	errNotObject = errors.New("not one JSON object")
	errTooDeep   = errors.New("nested too deep")
)

// reader reads a body and counts what is in it.
type reader struct {
	*jsontext.Decoder
	members int
}

func parse(data []byte, names []string) (fields, error) {
	in := reader{Decoder: jsontext.NewDecoder(bytes.NewBuffer(data))}
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
		i := slices.Index(names, name.String())
		value, err := in.member(i >= 0)
		if err != nil {
			return nil, err
		}
		if i >= 0 {
			out[names[i]] = value
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

// count counts a member or an element.
func (in *reader) count() error {
	if in.members++; in.members > maxMembers {
		return errTooManyMembers
	}
	return nil
}

// member reads one value. Objects and arrays are checked to their end; only
// the strings of an array are kept, and nothing of what nobody asked for.
func (in *reader) member(keep bool) (member, error) {
	token, err := in.ReadToken()
	if err == nil {
		err = in.count()
	}
	if err != nil {
		return member{}, err
	}
	m := member{kind: token.Kind()}
	if keep && (m.kind == '"' || m.kind == '0') {
		m.text = token.String()
	}
	for in.StackDepth() > 1 {
		if in.StackDepth() > maxDepth {
			return member{}, errTooDeep
		}
		token, err := in.ReadToken()
		if err == nil {
			err = in.count()
		}
		if err != nil {
			return member{}, err
		}
		switch {
		case in.StackDepth() == 1: // the end of it
		case token.Kind() == '"' && m.kind == '[' && keep:
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
func pathID(c *fiber.Ctx) (int64, bool) { return positive(segment(c, "id")) }

func positive(text string) (int64, bool) {
	if text == "" || text[0] < '1' || text[0] > '9' {
		return 0, false
	}
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil
}
