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
	"taskapi/app/todo"
)

// maxDepth is the maximum nesting of JSON in a request. The API's own objects are
// flat.
const maxDepth = 16

// maxMembers is the maximum number of members and elements in the JSON of a
// request: far above the needs of the API, far below what exhausts memory.
const maxMembers = 1000

// fields holds the requested members of a JSON object.
type fields map[string]member

type member struct {
	kind jsontext.Kind // as in jsontext: 'n' null, 't', 'f', '"', '0', '{', '['
	text string        // of a string or number
	list []string      // of an array of strings
	odd  bool          // of an array with anything else in it
	// objects are those of an array of flat objects of strings; nil for another one.
	objects []map[string]string
	object  map[string]string // of a flat object of strings; nil for another one
}

// body reads the named members of the request's JSON object (I-JSON, RFC 7493: no
// duplicate names, no invalid UTF-8, no lone surrogates); other members are only
// checked to be JSON. Returns errNotJSON, and errTooManyMembers above maxMembers.
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

// optionalBody is body for requests that need none. A body without a JSON content
// type is ignored.
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

// isJSON reports whether a content type is JSON or based on it (RFC 6839 section
// 3.1), such as JSON merge patch.
func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	subtype, application := strings.CutPrefix(kind, "application/")
	return err == nil && application && (subtype == "json" || len(subtype) > len("+json") && strings.HasSuffix(subtype, "+json"))
}

var (
	errNotObject = errors.New("not one JSON object")
	errTooDeep   = errors.New("nested too deep")
)

// reader reads a body and counts its members and elements.
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
		// The token is a view that is valid until the next read.
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

// member reads one value. It checks objects and arrays to their end, and keeps only
// the strings of an array.
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
	flat := flatObjects{}
	if m.kind == '{' && keep {
		flat = flatObjects{objects: []map[string]string{{}}, within: 1}
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
			if !flat.take(in.StackDepth(), token) {
				m.list = append(m.list, token.String())
			}
		default:
			flat.take(in.StackDepth(), token)
			m.odd = true
		}
	}
	switch {
	case flat.wrong:
	case m.kind == '[':
		m.objects = flat.objects
	case m.kind == '{' && keep:
		m.object = flat.objects[0]
	}
	return m, nil
}

// flatObjects collects the objects of an array, in which there are only strings, or one object
// that is in none.
type flatObjects struct {
	objects []map[string]string
	name    string
	named   bool
	wrong   bool
	within  int // what is missing of the depth in an array
}

// take takes a token in an array, at the depth after it, and reports whether it is inside
// of an object.
func (f *flatObjects) take(depth int, token jsontext.Token) bool {
	const inArray, inObject = 2, 3
	depth += f.within
	switch kind := token.Kind(); {
	case kind == '{' && depth == inObject:
		f.objects, f.named = append(f.objects, map[string]string{}), false
	case kind == '}' && depth == inArray:
	case kind == '"' && depth == inObject && !f.named:
		f.name, f.named = token.String(), true
	case kind == '"' && depth == inObject:
		f.objects[len(f.objects)-1][f.name], f.named = token.String(), false
	default:
		f.wrong = true
		return false
	}
	return true
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

// objects reads an array of objects of strings.
func (f fields) objects(name string) app.Field[[]map[string]string] {
	return field(f, name, func(m member) ([]map[string]string, bool) {
		return m.objects, m.kind == '[' && (m.objects != nil || len(m.list) == 0 && !m.odd)
	})
}

// ref reads what names a task or a list: an id or a uid.
// object reads an object of strings.
func (f fields) object(name string) app.Field[map[string]string] {
	return field(f, name, func(m member) (map[string]string, bool) { return m.object, m.object != nil })
}

func (f fields) ref(name string) app.Field[todo.Ref] {
	return field(f, name, func(m member) (todo.Ref, bool) {
		if m.kind == '0' { // a uid is a text
			id, ok := positive(m.text)
			return todo.ByID(id), ok
		}
		ref, ok := todo.ReadRef(m.text)
		return ref, ok && m.kind == '"'
	})
}

func (f fields) boolean(name string) app.Field[bool] {
	return field(f, name, func(m member) (bool, bool) { return m.kind == 't', m.kind == 't' || m.kind == 'f' })
}

// integer reads a number without fraction or exponent. Numbers beyond 64 bits
// become the largest or smallest one, which is nobody's id.
func (f fields) integer(name string) app.Field[int64] {
	return field(f, name, func(m member) (int64, bool) {
		if m.kind != '0' {
			return 0, false
		}
		n, err := strconv.ParseInt(m.text, 10, 64)
		return n, err == nil || errors.Is(err, strconv.ErrRange)
	})
}

// pathID reads an id in a path: a positive 64-bit integer in decimal digits,
// without sign or leading zero. Anything else matches nothing.
func pathID(c *fiber.Ctx) (int64, bool) { return positive(segment(c, "id")) }

func positive(text string) (int64, bool) {
	if text == "" || text[0] < '1' || text[0] > '9' {
		return 0, false
	}
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil
}
