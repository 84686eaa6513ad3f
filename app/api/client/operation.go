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
}

// operations are all that the document has, in its order.
func (d contract) operations() (calls []call) {
	for _, path := range d.get("paths").pairs() {
		for _, method := range path.pairs() {
			calls = append(calls, d.operation(path.name, method.name, method.node))
		}
	}
	return calls
}

func (d contract) operation(path, method string, o node) call {
	c := call{name: o.get("operationId").text(), method: strings.ToUpper(method), path: path}
	var query []string
	keyed := false
	for _, p := range o.get("parameters").items() {
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
		c.query = strings.Join(query, "")
	}
	if body := o.get("requestBody"); body.Node != nil {
		c.body = typeOf(body.get("content", "application/json", "schema"), "  ")
		c.bodyOptional = body.get("required").text() != "true"
	}
	expect := ""
	c.answer, expect = d.answer(o)
	c.how = how(o.get("security").items(), keyed, expect)
	c.comment = comment("  ", o.get("summary").text()+".", o.get("description").text(), "`"+c.method+" "+path+"`")
	return c
}

// how says what a call is beside its address and what it sends.
func how(security []node, keyed bool, expect string) (all []string) {
	// Where nobody need be known, an entry of it is empty, or there is none at all.
	if len(security) == 0 {
		all = append(all, `auth: "none"`)
	} else if slices.ContainsFunc(security, func(one node) bool { return len(one.pairs()) == 0 }) {
		all = append(all, `auth: "any"`)
	}
	if keyed {
		all = append(all, "keyed: true")
	}
	if expect != "" {
		all = append(all, fmt.Sprintf("expect: %q", expect))
	}
	return all
}

// answer is the type of the body of a success, and what it is if it is not JSON.
func (d contract) answer(o node) (answer, expect string) {
	var types []string
	for _, response := range o.get("responses").pairs() {
		if !strings.HasPrefix(response.name, "2") {
			continue
		}
		t := "void"
		content := d.follow(response.node).get("content")
		switch json := content.get("application/json", "schema"); {
		case json.Node != nil:
			t = typeOf(json, "  ")
		case content.get("text/event-stream").Node != nil:
			t, expect = "ReadableStream<Uint8Array>", "stream"
		case content.Node != nil:
			t, expect = "string", "text"
		}
		if !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return strings.Join(types, " | "), expect
}

// queryName is the type of the query of an operation.
func (c call) queryName() string {
	return strings.ToUpper(c.name[:1]) + c.name[1:] + "Query"
}

// queries declares what the operations take as queries.
func queries(calls []call) string {
	var out strings.Builder
	for _, c := range calls {
		if c.query != "" {
			fmt.Fprintf(&out, "/** The query of %s. */\nexport interface %s {\n%s}\n\n", c.name, c.queryName(), c.query)
		}
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
		takes, gives = append(takes, "query«?: "+c.queryName()+"»"), append(gives, "query")
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
