package replica

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
)

// Place keeps objects by name. Its methods may be called at the same time.
type Place interface {
	// Put writes an object; after it, the object is there whatever happens.
	Put(ctx context.Context, name string, data []byte) error
	// Get returns an object, or fs.ErrNotExist.
	Get(ctx context.Context, name string) ([]byte, error)
	// List returns the objects whose names begin with the prefix, sorted.
	List(ctx context.Context, prefix string) ([]Object, error)
	// Delete removes an object, which need not be there.
	Delete(ctx context.Context, name string) error
	// String names the place, without secrets.
	String() string
}

// Object is a file in a place.
type Object struct {
	Name  string
	Bytes int64
}

// largest is the largest object that is read: twice what is written.
const largest = 32 << 20

// errTooLarge: an object is none of ours.
var errTooLarge = errors.New("it is larger than what taskapi writes")

// Keys are what an S3 service knows its customers by.
type Keys struct{ ID, Secret string }

// scheme begins the name of a bucket.
const scheme = "s3://"

// Open returns the place with a name: a folder, or s3://BUCKET/PREFIX?endpoint=URL&region=REGION.
// It does not look whether the place is there.
func Open(name string, keys Keys) (Place, error) {
	if !strings.HasPrefix(name, scheme) {
		folder, err := filepath.Abs(name)
		return &Folder{Path: folder}, err
	}
	return openS3(name, keys)
}

// Check returns what is wrong with the name of a place.
func Check(name string) error {
	if !strings.HasPrefix(name, scheme) {
		if strings.Contains(name, "://") {
			return errors.New("expected a folder, or s3://BUCKET/PREFIX")
		}
		return nil
	}
	_, err := parseS3(name)
	return err
}

// bucket is what the name of an S3 place says.
type bucket struct {
	name, prefix, region string
	endpoint             *url.URL
}

func parseS3(name string) (b bucket, err error) {
	u, err := url.Parse(name)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return b, errors.New("expected s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION; keys are settings of their own")
	}
	b = bucket{name: u.Host, prefix: strings.Trim(u.Path, "/"), region: "us-east-1"}
	if b.prefix != "" {
		b.prefix += "/"
	}
	endpoint := ""
	for key, values := range u.Query() {
		switch {
		case key == "region" && values[0] != "":
			b.region = values[0]
		case key == "endpoint" && values[0] != "":
			endpoint = values[0]
		default:
			return b, fmt.Errorf("%q is not known behind the ?; expected endpoint and region", key)
		}
	}
	if endpoint == "" {
		endpoint = "https://s3." + b.region + ".amazonaws.com"
	}
	b.endpoint, err = url.Parse(endpoint)
	switch {
	case err != nil || b.endpoint.Host == "" || b.endpoint.Scheme != "https" && b.endpoint.Scheme != "http" ||
		strings.Trim(b.endpoint.Path, "/") != "" || b.endpoint.RawQuery != "" || b.endpoint.User != nil:
		return b, errors.New("expected an endpoint such as https://s3.example.com")
	case b.endpoint.Scheme == "http" && !loopback(b.endpoint.Hostname()):
		return b, errors.New("an unencrypted link to another machine is refused; expected an endpoint that begins with https://")
	}
	return b, nil
}

// missing reports whether an error says that there is no such object.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
