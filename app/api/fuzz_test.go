package api_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"taskapi/app/api"
)

// FuzzBody: whatever a stranger sends, the parser neither panics nor accepts
// what encoding/json would not, and counts the same members.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{`{}`, `{"title":"x","completed":true,"user_id":5,"a":[{"b":null}]}`, `null`, `{"a":1,"a":2}`, `{"\ud800":1}`, `{"a":1}x`, `[[[[`, "{\"\xff\":0}", `{"a":1e999}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		members, err := api.Parse(data)
		if err != nil {
			return
		}
		var same map[string]json.RawMessage
		if err := json.Unmarshal(data, &same); err != nil {
			t.Errorf("accepted, but encoding/json says %v", err)
		}
		if members != len(same) {
			t.Errorf("%d members, encoding/json has %d", members, len(same))
		}
	})
}

// FuzzID: an id is what a positive number prints as, and nothing else.
func FuzzID(f *testing.F) {
	for _, seed := range []string{"1", "0", "-1", "+1", "01", "9223372036854775807", "9223372036854775808", "1e3", "１", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := api.Positive(text)
		if ok && (id < 1 || strconv.FormatInt(id, 10) != text) {
			t.Errorf("%q was read as %d", text, id)
		}
	})
}
