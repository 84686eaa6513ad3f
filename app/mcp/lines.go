package mcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// maxLine is how long a message on a line may be, in bytes.
const maxLine = 16 << 20

// lines is a transport of messages on two streams, one a line. Unlike that of the library it
// answers what is no message, and goes on; and when its reader ends, the last line counts
// without a newline, and what was asked for until then is answered.
type lines struct {
	in  io.ReadCloser
	out io.WriteCloser
}

// Connect starts to read. The reading ends with the stream, or with the connection if Close of
// the stream interrupts it: standard input can't be, and ends with the process.
func (l lines) Connect(context.Context) (mcp.Connection, error) {
	c := &lineConn{lines: l, incoming: make(chan jsonrpc.Message), closed: make(chan struct{}), idle: make(chan struct{}, 1), theirs: map[jsonrpc.ID]bool{}, ours: map[jsonrpc.ID]bool{}}
	go c.scan()
	return c, nil
}

type lineConn struct {
	lines
	// incoming ends with the stream, and then ended holds why.
	incoming chan jsonrpc.Message
	ended    error
	closed   chan struct{}
	close    sync.Once
	closeErr error

	writing sync.Mutex

	mu sync.Mutex
	// theirs are the calls that wait for our answer, and ours those that wait for theirs. Idle
	// tells that one of them has changed.
	theirs, ours map[jsonrpc.ID]bool
	idle         chan struct{}
}

// SessionID returns "": there is one session.
func (c *lineConn) SessionID() string { return "" }

// scan reads until the stream ends.
func (c *lineConn) scan() {
	defer close(c.incoming)
	reader := bufio.NewReader(c.in)
	for {
		line, whole, err := readLine(reader)
		if line = bytes.TrimSpace(line); len(line) > 0 || !whole {
			message, wrong := messageOf(line, whole)
			if wrong != nil {
				c.reject(wrong)
			} else if !c.hand(message) {
				return
			}
		}
		if err != nil {
			c.ended = err
			return
		}
	}
}

// hand hands a message to who reads, and reports whether somebody does.
func (c *lineConn) hand(message jsonrpc.Message) bool {
	if request, ok := message.(*jsonrpc.Request); ok && request.IsCall() && request.Method != "subscriptions/listen" { // which has no end
		c.mu.Lock()
		c.theirs[request.ID] = true
		c.mu.Unlock()
	}
	select {
	case c.incoming <- message:
		return true
	case <-c.closed:
		return false
	}
}

// readLine reads a line, the last one as well; whole is false for one that is too long.
func readLine(reader *bufio.Reader) (line []byte, whole bool, err error) {
	whole = true
	for {
		part, err := reader.ReadSlice('\n')
		if whole = whole && len(line)+len(part) <= maxLine; whole {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, whole, err
		}
	}
}

// messageOf reads a message.
func messageOf(line []byte, whole bool) (jsonrpc.Message, *jsonrpc.Error) {
	var id struct {
		ID json.RawMessage `json:"id"`
	}
	switch {
	case !whole:
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeParseError, Message: "This line is too long."}
	case !json.Valid(line):
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeParseError, Message: "This line is not JSON."}
	case line[0] == '[':
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: "Batches are not supported: send one message a line."}
	case json.Unmarshal(line, &id) != nil || !isID(string(id.ID)):
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: "This is no message of JSON-RPC 2.0."}
	}
	message, err := jsonrpc.DecodeMessage(line)
	if err != nil {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: "This is no message of JSON-RPC 2.0."}
	}
	return message, nil
}

// isID reports whether a text of JSON is an id that the library keeps as it is, or none.
func isID(text string) bool {
	_, err := strconv.ParseInt(text, 10, 64)
	return text == "" || text == "null" || text[0] == '"' || err == nil
}

// reject answers what is no message, of which nobody knows the id.
func (c *lineConn) reject(wrong *jsonrpc.Error) {
	text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": nil, "error": wrong})
	if err == nil {
		err = c.line(text)
	}
	if err != nil { // nobody listens any more
		_ = c.Close()
	}
}

// Read returns the next message. At the end of the stream it first waits until every call is
// answered; a call of ours that nobody can answer any more fails.
func (c *lineConn) Read(ctx context.Context) (jsonrpc.Message, error) {
	for {
		select {
		case message, more := <-c.incoming:
			if response, ok := message.(*jsonrpc.Response); ok {
				c.mu.Lock()
				delete(c.ours, response.ID)
				c.mu.Unlock()
			}
			if more {
				return message, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-c.closed:
			return nil, io.EOF
		}
		if message, done := c.rest(); done {
			return nil, c.ended
		} else if message != nil {
			return message, nil
		}
		select {
		case <-c.idle:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-c.closed:
			return nil, io.EOF
		}
	}
}

// rest returns the failure of a call of ours, and whether nothing is left to be done.
func (c *lineConn) rest() (jsonrpc.Message, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.ours {
		delete(c.ours, id)
		return &jsonrpc.Response{ID: id, Error: &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "The client has gone."}}, false
	}
	return nil, len(c.theirs) == 0
}

// Write writes a message.
func (c *lineConn) Write(_ context.Context, message jsonrpc.Message) error {
	text, err := jsonrpc.EncodeMessage(message)
	if err != nil {
		return err
	}
	if request, ok := message.(*jsonrpc.Request); ok && request.IsCall() {
		c.mu.Lock()
		c.ours[request.ID] = true
		c.mu.Unlock()
	}
	err = c.line(text)
	if response, ok := message.(*jsonrpc.Response); ok {
		c.mu.Lock()
		delete(c.theirs, response.ID)
		c.mu.Unlock()
	}
	select {
	case c.idle <- struct{}{}:
	default:
	}
	return err
}

// line writes a line.
func (c *lineConn) line(text []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.out.Write(append(text, '\n'))
	return err
}

// Close ends the connection.
func (c *lineConn) Close() error {
	c.close.Do(func() {
		close(c.closed)
		c.closeErr = errors.Join(c.in.Close(), c.out.Close())
	})
	return c.closeErr
}
