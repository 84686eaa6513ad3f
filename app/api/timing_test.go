package api_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkEnumeration compares how long the server takes over an address that
// has an account and one that has none: the medians, and how often a random
// known one took longer than a random unknown one (0.5 is no difference at
// all; 0 and 1 tell them apart each time). One request at a time, in turn, so
// that whatever else the machine does meets both alike.
//
//	go test ./app/api -run '^$' -bench Enumeration -benchtime 1000x
func BenchmarkEnumeration(b *testing.B) {
	for name, body := range map[string]string{
		"/auth/login":           `{"email":"%s@example.com","password":"a wrong password"}`,
		"/auth/password/forgot": `{"email":"%s@example.com"}`,
		"/auth/email/resend":    `{"email":"%s@example.com"}`,
	} {
		b.Run(name, func(b *testing.B) {
			s := benchServer(b)
			s.register("known")
			took := map[string][]time.Duration{}
			for b.Loop() {
				for _, who := range []string{"known", "nobody"} {
					began := time.Now()
					s.call("POST", name, "", fmt.Sprintf(body, who))
					took[who] = append(took[who], time.Since(began))
				}
			}
			known, unknown := took["known"], took["nobody"]
			b.ReportMetric(longer(known, unknown), "P(known>unknown)")
			b.ReportMetric(median(known), "known-ms")
			b.ReportMetric(median(unknown), "unknown-ms")
		})
	}
}

// longer is how often one of the first is longer than one of the second
// (Mann and Whitney's U, as a share of all pairs).
func longer(first, second []time.Duration) float64 {
	won := 0
	for _, x := range first {
		for _, y := range second {
			if x > y {
				won++
			}
		}
	}
	return float64(won) / float64(len(first)*len(second))
}

func median(all []time.Duration) float64 {
	slices.Sort(all)
	return all[len(all)/2].Seconds() * 1000
}
