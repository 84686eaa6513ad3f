package api

// Routes lists the method and path of every route, for tests that must not
// forget one.
func (s *Server) Routes() [][2]string {
	var all [][2]string
	for _, r := range s.routes() {
		all = append(all, [2]string{r.method, r.path})
	}
	return all
}

// Queries lists the names of the query parameters of every route, by its method
// and path.
func (s *Server) Queries() map[string][]string {
	all := map[string][]string{}
	for _, r := range s.routes() {
		all[r.method+" "+r.path] = r.query
	}
	return all
}

// Parse reads the named members of a request body, for the fuzzer.
func Parse(data []byte, names ...string) (members int, err error) {
	read, err := parse(data, names)
	return len(read), err
}

// Positive reads an id, for the fuzzer.
func Positive(text string) (int64, bool) { return positive(text) }

// Opening returns what looks at the beginning of a connection without TLS.
func Opening() func(read []byte) string {
	o := &opening{}
	return o.answer
}
