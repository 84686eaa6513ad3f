package replica

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// tryTime bounds one request: an object of ours takes half of that on a slow line.
	tryTime = 2 * time.Minute
	// tries is how often a request is made that the service or the network fails.
	tries = 3
	// firstPause is the longest wait before the second try; it doubles.
	firstPause = 500 * time.Millisecond
	// mostErrorText is how much of a refusal is read.
	mostErrorText = 16 << 10
)

// S3 is a bucket of a service that speaks Amazon's S3: PUT, GET, DELETE and ListObjectsV2, with
// the bucket in the path and requests signed with version 4.
type S3 struct {
	bucket
	keys   Keys
	client *http.Client
	now    func() time.Time
	pause  func(ctx context.Context, d time.Duration) error
}

func openS3(name string, keys Keys) (*S3, error) {
	b, err := parseS3(name)
	if err != nil {
		return nil, err
	}
	if keys.ID == "" || keys.Secret == "" {
		return nil, errors.New("the bucket has no keys; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	return &S3{bucket: b, keys: keys, now: time.Now, pause: pause, client: &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: tryTime, IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 8,
		},
		// A signature is good for one address.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *S3) String() string {
	return scheme + s.name + "/" + s.prefix + " at " + s.endpoint.String()
}

// RefusalError is what a service answers instead.
type RefusalError struct {
	Status        int
	Code, Message string
}

func (r *RefusalError) Error() string {
	if r.Code == "" {
		return fmt.Sprintf("the service answered %d", r.Status)
	}
	return fmt.Sprintf("the service answered %d %s: %s", r.Status, r.Code, r.Message)
}

// Is makes an object that is not there fs.ErrNotExist.
func (r *RefusalError) Is(target error) bool {
	return target == fs.ErrNotExist && r.Status == http.StatusNotFound && r.Code != "NoSuchBucket"
}

// Put writes an object.
func (s *S3) Put(ctx context.Context, name string, data []byte) error {
	_, err := s.call(ctx, http.MethodPut, s.prefix+name, nil, data)
	return err
}

// Get reads an object.
func (s *S3) Get(ctx context.Context, name string) ([]byte, error) {
	return s.call(ctx, http.MethodGet, s.prefix+name, nil, nil)
}

// Delete removes an object.
func (s *S3) Delete(ctx context.Context, name string) error {
	_, err := s.call(ctx, http.MethodDelete, s.prefix+name, nil, nil)
	if missing(err) {
		return nil
	}
	return err
}

// listing is a page of ListObjectsV2.
type listing struct {
	Contents []struct {
		Key  string
		Size int64
	}
	IsTruncated           bool
	NextContinuationToken string
}

// List reads all pages of the list.
func (s *S3) List(ctx context.Context, prefix string) (all []Object, err error) {
	query := url.Values{"list-type": {"2"}, "prefix": {s.prefix + prefix}}
	for {
		text, err := s.call(ctx, http.MethodGet, "", query, nil)
		if err != nil {
			return nil, err
		}
		var page listing
		if err := xml.Unmarshal(text, &page); err != nil {
			return nil, fmt.Errorf("the list of objects can't be read: %w", err)
		}
		for _, one := range page.Contents {
			if name, ours := strings.CutPrefix(one.Key, s.prefix); ours {
				all = append(all, Object{name, one.Size})
			}
		}
		if !page.IsTruncated || page.NextContinuationToken == "" {
			return all, nil
		}
		query.Set("continuation-token", page.NextContinuationToken)
	}
}

// call makes a request, again if the service or the network fails.
func (s *S3) call(ctx context.Context, method, key string, query url.Values, body []byte) (answer []byte, err error) {
	for try := range tries {
		if answer, err = s.try(ctx, method, key, query, body); err == nil || ctx.Err() != nil {
			return answer, err
		}
		refused := (*RefusalError)(nil)
		if errors.As(err, &refused) && refused.Status < 500 && refused.Status != http.StatusTooManyRequests && refused.Status != http.StatusRequestTimeout {
			return nil, err
		}
		if try < tries-1 {
			if pauseErr := s.pause(ctx, rand.N(firstPause<<try)); pauseErr != nil {
				return nil, errors.Join(err, pauseErr)
			}
		}
	}
	return nil, err
}

func (s *S3) try(ctx context.Context, method, key string, query url.Values, body []byte) (answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	path := "/" + escape(s.name, true)
	if key != "" {
		path += "/" + escape(key, false)
	}
	address := s.endpoint.Scheme + "://" + s.endpoint.Host + path
	if len(query) > 0 {
		address += "?" + canonicalQuery(query)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sign(request, path, canonicalQuery(query), body, s.keys, s.region, s.now())
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		refused := &RefusalError{Status: response.StatusCode}
		// What is no XML says nothing.
		if text, err := io.ReadAll(io.LimitReader(response.Body, mostErrorText)); err == nil {
			_ = xml.Unmarshal(text, &struct {
				XMLName xml.Name `xml:"Error"`
				Code    *string  `xml:"Code"`
				Message *string  `xml:"Message"`
			}{Code: &refused.Code, Message: &refused.Message})
		}
		return nil, refused
	}
	answer, err = io.ReadAll(io.LimitReader(response.Body, largest+1))
	if err == nil && len(answer) > largest {
		err = fmt.Errorf("%s: %w", key, errTooLarge)
	}
	return answer, err
}
