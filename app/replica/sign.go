package replica

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// sign adds the headers of Amazon's Signature Version 4 to a request:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
func sign(request *http.Request, path, query string, body []byte, keys Keys, region string, now time.Time) {
	const signed = "host;x-amz-content-sha256;x-amz-date"
	moment := now.UTC().Format("20060102T150405Z")
	scope := moment[:8] + "/" + region + "/s3/aws4_request"
	content := hexSum(body)
	request.Header.Set("X-Amz-Date", moment)
	request.Header.Set("X-Amz-Content-Sha256", content)
	canonical := strings.Join([]string{
		request.Method, path, query,
		"host:" + request.URL.Host, "x-amz-content-sha256:" + content, "x-amz-date:" + moment, "",
		signed, content,
	}, "\n")
	key := []byte("AWS4" + keys.Secret)
	for _, part := range []string{moment[:8], region, "s3", "aws4_request"} {
		key = mac(key, part)
	}
	signature := mac(key, "AWS4-HMAC-SHA256\n"+moment+"\n"+scope+"\n"+hexSum([]byte(canonical)))
	request.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%x", keys.ID, scope, signed, signature))
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	hash := hmac.New(sha256.New, key)
	_, _ = hash.Write([]byte(text)) // never fails
	return hash.Sum(nil)
}

// canonicalQuery is the query in the form that is signed: sorted, with %20 for a blank.
func canonicalQuery(query url.Values) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(query)) {
		parts = append(parts, escape(key, true)+"="+escape(query.Get(key), true))
	}
	return strings.Join(parts, "&")
}

// escape writes all but unreserved characters as %XX, and slashes where they are no part of a path.
func escape(text string, slashes bool) string {
	var out strings.Builder
	for _, c := range []byte(text) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if letter || strings.IndexByte("-._~", c) >= 0 || c == '/' && !slashes {
			_ = out.WriteByte(c) // never fails
		} else {
			_, _ = fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}
