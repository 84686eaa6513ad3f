package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"taskapi/app/outbox"
)

const (
	// patience is how long a try may take.
	patience = 15 * time.Second
	// readFor is how long the body of an answer is read, and mostRead how much of it: only so
	// that the connection can be used again.
	readFor  = time.Second
	mostRead = 64 << 10
)

// Sender makes the tries.
type Sender struct {
	*Guard
	Now func() time.Time
	Log *slog.Logger
	// Patience is how long a try may take in total.
	Patience time.Duration

	agent  string
	client *http.Client
}

var _ outbox.WebhookSender = (*Sender)(nil)

// NewSender returns a sender that names itself by a version, and may reach the internet and the
// networks that are open. The resolver may be nil.
func NewSender(version string, open []netip.Prefix, resolver *net.Resolver, now func() time.Time, log *slog.Logger) *Sender {
	guard := NewGuard(open)
	return &Sender{Guard: guard, Now: now, Log: log, Patience: patience, agent: "taskapi/" + version, client: guard.Client(patience, resolver)}
}

// Close ends connections that are kept for further tries.
func (s *Sender) Close() { s.client.CloseIdleConnections() }

// Send makes one try. A panic in it is its failure.
func (s *Sender) Send(ctx context.Context, w outbox.Webhook, m outbox.WebhookMessage) (a outbox.Attempt) {
	began := s.Now()
	defer func() {
		if reason := recover(); reason != nil {
			s.Log.Error("telling a webhook panicked", "webhook_id", w.ID, "panic", reason, "stack", string(debug.Stack()))
			a = outbox.Attempt{Error: "a fault of this server"}
		}
		a.Took, a.Error = max(0, s.Now().Sub(began)), outbox.Cut(a.Error)
	}()
	ctx, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	request, err := s.request(ctx, w, m, began)
	if err != nil {
		return outbox.Attempt{Error: err.Error()}
	}
	response, err := s.client.Do(request)
	if err != nil {
		return outbox.Attempt{Error: s.describe(err)}
	}
	ending := time.AfterFunc(readFor, cancel)
	defer ending.Stop()
	_, _ = io.CopyN(io.Discard, response.Body, mostRead)
	_ = response.Body.Close()
	a = outbox.Attempt{Status: response.StatusCode, RetryAfter: retryAfter(response.Header.Get("Retry-After"), began)}
	if !a.Delivered() {
		a.Error = "answered " + strings.TrimSpace(strconv.Itoa(a.Status)+" "+http.StatusText(a.Status))
	}
	return a
}

// request makes the request of a try, as Standard Webhooks 1.0.0 has it.
func (s *Sender) request(ctx context.Context, w outbox.Webhook, m outbox.WebhookMessage, now time.Time) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(m.Body))
	if err != nil {
		return nil, errors.New("the url can't be used")
	}
	signature, err := sign(w.Secret, m, now)
	if err == nil && len(w.OldSecret) > 0 && now.Before(w.OldUntil) {
		for old := range slices.Chunk(w.OldSecret, outbox.SecretBytes) {
			also, wrong := sign(old, m, now)
			signature, err = signature+" "+also, errors.Join(err, wrong)
		}
	}
	if err != nil {
		return nil, err
	}
	// Empty, so not sent: it says that the request may be repeated where the receiver has just
	// closed the connection that was kept.
	request.Header["Idempotency-Key"] = nil
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", s.agent)
	request.Header.Set(standardwebhooks.HeaderWebhookID, m.ID)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return request, nil
}

func sign(secret []byte, m outbox.WebhookMessage, now time.Time) (string, error) {
	signer, err := standardwebhooks.NewWebhookRaw(secret)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return signer.Sign(m.ID, now, m.Body)
}

// describe says why there was no answer, in words that tell nothing of the network that this
// server is in.
func (s *Sender) describe(err error) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.Is(err, errAddress):
		return errAddress.Error()
	case errors.As(err, &name):
		return "the name can't be resolved"
	case errors.As(err, &certificate):
		return "TLS: " + certificate.Err.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("no answer within %d s", int(s.Patience.Seconds()))
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed without an answer"
	}
	for inner := err; inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

// retryAfter reads a Retry-After, seconds or a date (RFC 9110 section 10.2.3); 0 without one.
func retryAfter(value string, now time.Time) time.Duration {
	const most = 365 * 24 * 60 * 60
	if seconds, err := strconv.ParseUint(value, 10, 63); err == nil {
		return time.Duration(min(seconds, most)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
