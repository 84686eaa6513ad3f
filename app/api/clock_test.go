package api_test

import (
	"testing"
	"time"
)

// The grace of a retired refresh token is what really passes: a jump of the
// clock neither makes a retry a theft nor lets a thief lead on.
func TestTheClockJumpsDuringTheGrace(t *testing.T) {
	for name, c := range map[string]struct {
		jump, passes time.Duration
		want         int
	}{
		"ahead, and a retry":         {61 * time.Second, 2 * time.Second, 200},
		"a year ahead, and a retry":  {365 * 24 * time.Hour, 2 * time.Second, 401}, // the session is over by then
		"back, and a retry":          {-time.Hour, 2 * time.Second, 200},
		"back, and a thief":          {-time.Hour, 32 * time.Second, 401},
		"not at all, and a retry":    {0, 29 * time.Second, 200},
		"not at all, and a thief":    {0, 31 * time.Second, 401},
		"ahead by days, and a retry": {3 * 24 * time.Hour, time.Second, 200},
	} {
		t.Run(name, func(t *testing.T) {
			var elapsed time.Duration
			s := start(t, func(p *parts) { p.sessions.Elapsed = func() time.Duration { return elapsed } })
			ann := s.signUp("ann")
			if a := s.refresh(ann.refresh); a.status != 200 { // its answer is lost
				t.Fatalf("%d %s", a.status, a.text)
			}
			s.clock.advance(c.jump + c.passes)
			elapsed += c.passes
			if a := s.refresh(ann.refresh); a.status != c.want {
				t.Errorf("%d %s, want %d", a.status, a.text, c.want)
			}
			if c.jump > 24*time.Hour { // and is put right
				s.clock.advance(-c.jump)
				if a := s.refresh(ann.refresh); a.status != 200 {
					t.Errorf("under the right clock again: %d %s", a.status, a.text)
				}
			}
		})
	}
}
