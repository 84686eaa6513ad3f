package client

import (
	"fmt"
	"slices"
	"strings"
)

// call is an operation as a method.
type call struct {
	name, method, path string
	comment            string
	ids                []string // the names in the path
	types              []string // and their types
	body, query        string   // types, empty for none
	bodyOptional       bool
	answer             string // type of a success
	how                []string
	declared           string // types that only this operation has
}

// operations are all that the document has, in its order.
func (d contract) operations() (calls []call) {
	for _, path := range d.get("paths").pairs() {
		for _, method := range path.pairs() {
			if slices.Contains(methodNames(), method.name) {
				calls = append(calls, d.operation(path.name, method.name, path.node, method.node))
			}
		}
	}
	return calls
}

// methodNames are the members of a path that are operations; others are what these share.
func methodNames() []string {
	return []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}
}

func (d contract) operation(path, method string, item, o node) call {
	c := call{name: o.get("operationId").text(), method: strings.ToUpper(method), path: path}
	var query []string
	keyed := false
	for _, p := range slices.Concat(item.get("parameters").items(), o.get("parameters").items()) {
		p = d.follow(p)
		name := p.get("name").text()
		switch p.get("in").text() {
		case "path":
			c.ids = append(c.ids, camel(name))
			c.types = append(c.types, typeOf(p.get("schema"), ""))
		case "query":
			query = append(query, comment("  ", p.get("description").text())+"  "+key(name)+"?: "+typeOf(p.get("schema"), "  ")+" | undefined;\n")
		case "header":
			keyed = keyed || name == "Idempotency-Key"
		}
	}
	if len(query) > 0 {
		c.query = c.named("Query", "The query", "{\n"+strings.Join(query, "")+"}")
	}
	if body := o.get("requestBody"); body.Node != nil {
		c.body = c.named("Body", "The body", typeOf(body.get("content", "application/json", "schema"), ""))
		c.bodyOptional = body.get("required").text() != "true"
	}
	answer, expect := d.answer(o)
	c.answer = c.named("Answer", "The answer", answer)
	c.how = append(how(o.get("security").items(), keyed), expect...)
	c.comment = comment("  ", o.get("summary").text()+".", o.get("description").text(), "`"+c.method+" "+path+"`")
	return c
}

// how says what a call is beside its address and what it sends.
func how(security []node, keyed bool) (all []string) {
	// Where nobody need be known, an entry of it is empty, or there is none at all.
	if len(security) == 0 {
		all = append(all, `auth: "none"`)
	} else if slices.ContainsFunc(security, func(one node) bool { return len(one.pairs()) == 0 }) {
		all = append(all, `auth: "any"`)
	}
	if keyed {
		all = append(all, "keyed: true")
	}
	return all
}

// answer is the type of the body of a success and, if it is not just JSON, what to ask for.
func (d contract) answer(o node) (answer string, expect []string) {
	var types []string
	for _, response := range o.get("responses").pairs() {
		if !strings.HasPrefix(response.name, "2") {
			continue
		}
		t := "void"
		content := d.follow(response.node).get("content")
		switch json, stream := content.get("application/json", "schema"), content.get("text/event-stream"); {
		case json.Node != nil:
			t = typeOf(json, "")
			if stream.Node != nil {
				expect = []string{`accept: "application/json, text/event-stream"`}
			}
		case stream.Node != nil:
			t, expect = "ReadableStream<Uint8Array>", []string{`expect: "stream"`, `accept: "text/event-stream"`}
		case content.Node != nil:
			t, expect = "string", []string{`expect: "text"`, `accept: "*/*"`}
		}
		if !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return strings.Join(types, " | "), expect
}

// named gives a type that is written out a name of its own, and leaves others.
func (c *call) named(suffix, what, written string) string {
	if !strings.HasPrefix(written, "{") {
		return written
	}
	name := strings.ToUpper(c.name[:1]) + c.name[1:] + suffix
	c.declared += fmt.Sprintf("/** %s of %s. */\nexport type %s = %s;\n\n", what, c.name, name, written)
	return name
}

// declared are the types that only one operation has, each.
func declared(calls []call) string {
	var out strings.Builder
	for _, c := range calls {
		out.WriteString(c.declared)
	}
	return out.String()
}

// methods are the operations as methods of the client.
func methods(calls []call) string {
	var out strings.Builder
	for _, c := range calls {
		out.WriteString(c.String())
	}
	return out.String()
}

func (c call) String() string {
	var takes, gives []string
	path := c.path
	for i, id := range c.ids {
		takes = append(takes, id+"«: "+c.types[i]+"»")
		path = strings.Replace(path, "{"+snake(id)+"}", "${encodeURIComponent("+id+")}", 1)
	}
	if c.body != "" {
		mark := ""
		if c.bodyOptional {
			mark = "?"
		}
		takes, gives = append(takes, "body«"+mark+": "+c.body+"»"), append(gives, "body")
	}
	if c.query != "" {
		takes, gives = append(takes, "query«?: "+c.query+"»"), append(gives, "query")
	}
	takes, gives = append(takes, "options«?: Options»"), append(append(gives, "options"), c.how...)
	quote := `"`
	if len(c.ids) > 0 {
		quote = "`"
	}
	return fmt.Sprintf("%s  %s(%s)«: Promise<%s>» {\n    return this.#call(%q, %s, { %s });\n  }\n\n",
		c.comment, c.name, strings.Join(takes, ", "), c.answer, c.method, quote+path+quote, strings.Join(gives, ", "))
}

// camel is a name of the API as one of JavaScript.
func camel(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

// snake is the other way round.
func snake(name string) string {
	var out strings.Builder
	for _, r := range name {
		if 'A' <= r && r <= 'Z' {
			out.WriteByte('_')
			r += 'a' - 'A'
		}
		out.WriteRune(r)
	}
	return out.String()
}
