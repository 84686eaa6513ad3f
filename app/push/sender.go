// Package push sends reminders to browsers by their push services (RFC 8030), encrypted (RFC
// 8291) and signed (RFC 8292). It is the only importer of webpush-go, which has neither time
// limits nor a safe way to dial of its own: both are those of the client that it is given.
package push

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/SherClockHolmes/webpush-go"

	"taskapi/app/outbox"
)

const (
	// atOnce is how many pushes are under way, and ofOne how many of one user.
	atOnce = 8
	ofOne  = 2
	// window is how many subscriptions are looked at for those that may go on.
	window = 200
	// patience is how long a push service may take in total.
	patience = 10 * time.Second
	// lookAgain bounds the wait, since the clock may be set.
	lookAgain = time.Minute
	// storePause is the wait after the database failed.
	storePause = 10 * time.Second
	// mostRead is how much of an answer is read, so that its connection can be used again.
	mostRead = 4 << 10
)

// waits returns how long to wait after so many tries.
func waits(tries int) time.Duration {
	all := [...]time.Duration{10 * time.Second, time.Minute, 10 * time.Minute, outbox.LongestPushWait}
	return all[min(tries, len(all)-1)]
}

// Outcome is how a push ended.
type Outcome int

// The outcomes.
const (
	Sent    Outcome = iota
	Delayed         // it is tried again
	GivenUp
	Gone // the browser is not subscribed any more
	outcomes
)

// Counts are how many pushes ended in each way since the start.
type Counts [outcomes]int64

// Sender sends what waits, one push of each subscription at a time.
type Sender struct {
	Queue outbox.PushQueue
	// Client makes the requests. It must not follow redirects, nor dial what is not public.
	Client *http.Client
	Key    Key
	// Subject is whom a push service may turn to, an address or an https URL.
	Subject string
	Now     func() time.Time
	// After is time.After, for tests that do not wait.
	After func(time.Duration) <-chan time.Time
	Log   *slog.Logger

	counts [outcomes]atomic.Int64
	wake   chan struct{}
}

// NewSender returns a sender that waits in real time.
func NewSender(queue outbox.PushQueue, client *http.Client, key Key, subject string, now func() time.Time, log *slog.Logger) *Sender {
	return &Sender{Queue: queue, Client: client, Key: key, Subject: subject, Now: now, After: time.After, Log: log, wake: make(chan struct{}, 1)}
}

// Wake tells the sender that there is something to send. It never blocks.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Counts returns what has been sent since the start.
func (s *Sender) Counts() (counts Counts) {
	for i := range counts {
		counts[i] = s.counts[i].Load()
	}
	return counts
}

// Run sends until the context ends, and returns when nothing is under way any more. What is
// cut off is sent again by the next start.
func (s *Sender) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	ended := make(chan outbox.DuePush, atOnce)
	busy, users := map[int64]bool{}, map[int64]int{}
	for ctx.Err() == nil {
		due, wait := s.due(ctx)
		for _, one := range due {
			if len(busy) == atOnce || busy[one.ID] || users[one.UserID] == ofOne {
				continue
			}
			busy[one.ID] = true
			users[one.UserID]++
			work.Go(func() {
				if err := s.push(ctx, one.ID); err != nil && ctx.Err() == nil {
					s.Log.Error("the database of what is to be pushed failed", "subscription_id", one.ID, "error", err)
					// It would be sent again at once.
					select {
					case <-ctx.Done():
					case <-s.After(storePause):
					}
				}
				ended <- one
			})
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-s.After(wait):
		case one := <-ended:
			delete(busy, one.ID)
			if users[one.UserID]--; users[one.UserID] == 0 {
				delete(users, one.UserID)
			}
		}
	}
}

// due returns what is due and how long to wait for more.
func (s *Sender) due(ctx context.Context) ([]outbox.DuePush, time.Duration) {
	due, next, err := s.Queue.DuePushes(ctx, s.Now(), window)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, storePause
	case err != nil:
		s.Log.Error("what is to be pushed can't be read", "error", err)
		return nil, storePause
	case next.IsZero():
		return due, lookAgain
	}
	return due, min(lookAgain, max(time.Second, next.Sub(s.Now())))
}

// push makes one try of a subscription. It returns errors of the database.
func (s *Sender) push(ctx context.Context, id int64) error {
	push, found, err := s.Queue.Push(ctx, id, s.Now())
	if err != nil || !found {
		return err
	}
	status, after, failure := s.post(ctx, push)
	if ctx.Err() != nil {
		return nil // the stop may be why it failed
	}
	outcome, wait := decide(status, push.Tries)
	wait = max(wait, min(after, outbox.LongestPushWait))
	now := s.Now()
	if outcome == Delayed && now.Add(wait).Sub(push.FiredAt) > outbox.PushUntil {
		outcome = GivenUp
	}
	s.counts[outcome].Add(1)
	log := s.Log.With("subscription_id", id, "service", host(push.Endpoint), "status", status)
	switch outcome {
	case Gone:
		log.Info("a browser shows no reminders any more")
		err = s.Queue.PushGone(ctx, id)
	case Delayed:
		log.Warn("reminder not pushed", "reason", failure, "wait", wait)
		err = s.Queue.PushFailed(ctx, id, now.Add(wait))
	case GivenUp:
		log.Error("reminder given up: it could not be pushed", "reason", failure)
		err = s.Queue.PushDone(ctx, id, push.Seq, now)
	default:
		err = s.Queue.PushDone(ctx, id, push.Seq, now)
	}
	return err
}

// decide says what a status means; 0 is no answer.
func decide(status, tries int) (Outcome, time.Duration) {
	switch {
	case status >= 200 && status < 300:
		return Sent, 0
	case status == http.StatusNotFound || status == http.StatusGone:
		return Gone, 0
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500, status < 400,
		// The signature is good by the clock, which may be wrong.
		status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Delayed, waits(tries)
	}
	return GivenUp, 0
}

// message is what a browser gets.
type message struct {
	Type string            `json:"type"`
	Task outbox.PushedTask `json:"task"`
	Seq  int64             `json:"seq"`
}

// post asks the push service to deliver. It returns the status, 0 without an answer, and how long
// the service asks to wait.
func (s *Sender) post(ctx context.Context, push outbox.Push) (status int, after time.Duration, failure error) {
	text, err := json.Marshal(message{"reminder", push.Task, push.Seq})
	if err != nil {
		return 0, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := webpush.SendNotificationWithContext(ctx, text, &webpush.Subscription{
		Endpoint: push.Endpoint,
		Keys: webpush.Keys{
			P256dh: base64.RawURLEncoding.EncodeToString(push.P256dh), Auth: base64.RawURLEncoding.EncodeToString(push.Auth),
		},
	}, &webpush.Options{
		HTTPClient: s.Client, Subscriber: s.Subject, Urgency: webpush.UrgencyHigh,
		VAPIDPublicKey: s.Key.public, VAPIDPrivateKey: s.Key.private,
		TTL: int(outbox.PushUntil / time.Second),
		// A newer reminder of the same task takes the place of one that was not shown yet.
		Topic: "task-" + strconv.FormatInt(push.Task.ID, 10),
	})
	if err != nil {
		return 0, 0, unnamed(err)
	}
	// Nothing in the answer matters.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, mostRead))
	_ = answer.Body.Close()
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		seconds = 0
	}
	return answer.StatusCode, time.Duration(min(seconds, 1<<20)) * time.Second, nil
}

// unnamed takes the endpoint out of an error, since whoever reads it could send to it.
func unnamed(err error) error {
	var named *url.Error
	if errors.As(err, &named) {
		return named.Err
	}
	return err
}

func host(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
