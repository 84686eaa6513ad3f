package replica

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// service is an S3 service in memory, which can be made to fail.
type service struct {
	http.Handler
	fail     func(*http.Request) int // a status; 0 goes on
	requests []*http.Request
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests = append(s.requests, r)
	if s.fail != nil {
		if status := s.fail(r); status != 0 {
			w.WriteHeader(status)
			return
		}
	}
	s.Handler.ServeHTTP(w, r)
}

// serve starts a service with a bucket, and returns the place in it.
func serve(t *testing.T, prefix string) (*service, *S3) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	s := &service{Handler: gofakes3.New(backend).Server()}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	place, err := Open("s3://bucket/"+prefix+"?region=eu-1&endpoint="+url.QueryEscape(server.URL), Keys{"id", "a secret"})
	if err != nil {
		t.Fatal(err)
	}
	place.(*S3).pause = func(context.Context, time.Duration) error { return nil }
	return s, place.(*S3)
}

// behaves is what every place does.
func behaves(t *testing.T, place Place) {
	t.Helper()
	ctx := t.Context()
	if all, err := place.List(ctx, Root); err != nil || len(all) != 0 {
		t.Fatal(all, err)
	}
	if _, err := place.Get(ctx, "generations/a/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
	want := map[string][]byte{}
	for i := range 5 {
		name := fmt.Sprintf("generations/g%d/x/%d.wal", i%2, i)
		want[name] = bytes.Repeat([]byte{byte(i)}, i*1000)
		if err := place.Put(ctx, name, []byte("before")); err != nil {
			t.Fatal(err)
		}
		if err := place.Put(ctx, name, want[name]); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range want {
		if got, err := place.Get(ctx, name); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	all, err := place.List(ctx, Root)
	if err != nil || len(all) != 5 || all[0].Name != "generations/g0/x/0.wal" || all[4].Name != "generations/g1/x/3.wal" || all[4].Bytes != 3000 {
		t.Fatalf("%v, %v", all, err)
	}
	if some, err := place.List(ctx, "generations/g1/"); err != nil || len(some) != 2 {
		t.Errorf("%v, %v", some, err)
	}
	for range 2 {
		if err := place.Delete(ctx, all[0].Name); err != nil {
			t.Error(err)
		}
	}
	if rest, err := place.List(ctx, Root); err != nil || len(rest) != 4 {
		t.Errorf("%v, %v", rest, err)
	}
	ended, end := context.WithCancel(ctx)
	end()
	if err := place.Put(ended, "generations/late", nil); err == nil {
		t.Error("it is put after the end")
	}
}

func TestABucketBehaves(t *testing.T) {
	_, place := serve(t, "some/where else")
	behaves(t, place)
}

func TestABucketIsListedPageByPage(t *testing.T) {
	_, place := serve(t, "")
	for i := range 1100 {
		if err := place.Put(t.Context(), fmt.Sprintf("generations/%04d", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := place.List(t.Context(), Root); err != nil || len(all) != 1100 {
		t.Errorf("%d objects, %v", len(all), err)
	}
}

// A service that fails is asked again, and one that refuses is not.
func TestABucketThatFails(t *testing.T) {
	s, place := serve(t, "")
	for status, asked := range map[int]int{500: tries, 503: tries, 429: tries, 403: 1, 404: 1, 301: 1} {
		s.requests, s.fail = nil, func(*http.Request) int { return status }
		var refused *RefusalError
		if err := place.Put(t.Context(), "x", nil); !errors.As(err, &refused) || refused.Status != status || len(s.requests) != asked {
			t.Errorf("%d: asked %d times, %v", status, len(s.requests), err)
		}
	}
	s.requests, s.fail = nil, func(*http.Request) int { return map[bool]int{true: 503}[len(s.requests) < tries] }
	if err := place.Put(t.Context(), "x", []byte("y")); err != nil || len(s.requests) != tries {
		t.Error(err)
	}
	s.fail = nil
	place.name = "other"
	if _, err := place.List(t.Context(), Root); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("without the bucket: %v", err)
	}
}

// Amazon's own examples of signed requests:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html (GET Bucket, lifecycle and list)
func TestASignatureIsThatOfTheExamples(t *testing.T) {
	keys := Keys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	for query, want := range map[string]string{
		"lifecycle=":          "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
		"max-keys=2&prefix=J": "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
	} {
		request, err := http.NewRequest(http.MethodGet, "https://examplebucket.s3.amazonaws.com/?"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		sign(request, "/", canonicalQuery(values), nil, keys, "us-east-1", time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC))
		got := request.Header.Get("Authorization")
		if !strings.HasSuffix(got, "Signature="+want) || !strings.Contains(got, "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request") {
			t.Errorf("%s: %s", query, got)
		}
	}
}

func TestNamesOfPlaces(t *testing.T) {
	for name, good := range map[string]bool{
		"/mnt/other": true, "other": true, `C:\place`: true, "s3://bucket": true, "s3://bucket/a/b?region=eu-1": true, "s3://b?endpoint=https://s3.example.com": true,
		"s3://b?endpoint=http://127.0.0.1:9000": true, "s3://b?endpoint=http://s3.example.com": false, "s3://": false, "s3:///x": false, "https://x": false,
		"s3://id:secret@b": false, "s3://b?endpiont=https://x": false, "s3://b?endpoint=s3.example.com": false, "s3://b?endpoint=https://x/path": false,
	} {
		if err := Check(name); (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open("s3://bucket", Keys{}); err == nil {
		t.Error("a bucket without keys")
	}
	if place, err := Open("s3://bucket", Keys{"id", "hidden"}); err != nil || strings.Contains(place.String(), "hidden") {
		t.Error(place, err)
	}
}
