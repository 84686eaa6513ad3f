package outbox

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"taskapi/app"
)

// Limits on the mails that people can make the server send. Recipients may not have
// asked for them, so mails are counted by recipient, over all kinds, and by the
// account that causes them.
func recipientRate() app.Rate { return app.Rate{Burst: 6, Every: 10 * time.Minute} }
func senderRate() app.Rate    { return app.Rate{Burst: 10, Every: 6 * time.Minute} }

// noticeRate limits each kind of notice about one account. The audit record has the
// event even if the mail is not sent.
func noticeRate() app.Rate { return app.Rate{Burst: 5, Every: 10 * time.Minute} }

// Postage limits the mails that people cause, so that nobody can make the server
// flood a mailbox. Without a Limiter there is no limit.
type Postage struct {
	Limiter *app.Limiter
}

// Take counts a mail to an address and, unless userID is 0, against that account. If
// wait is positive the mail must not be sent; first is true for the first refusal of
// a series.
func (o *Postage) Take(to string, userID int64) (wait time.Duration, first bool) {
	if o == nil || o.Limiter == nil {
		return 0, false
	}
	account := "from " + strconv.FormatInt(userID, 10)
	if userID != 0 {
		if wait, first = o.Limiter.Take(account, senderRate()); wait > 0 {
			return wait, first
		}
	}
	if wait, first = o.Limiter.Take(recipientKey(to), recipientRate()); wait > 0 && userID != 0 {
		o.Limiter.Refund(account, senderRate())
	}
	return wait, first
}

// Forget resets the count of an address, because its owner followed a link.
func (o *Postage) Forget(to string) {
	if o != nil && o.Limiter != nil {
		o.Limiter.Forget(recipientKey(to))
	}
}

func recipientKey(to string) string { return "to " + app.EmailKey(to) }

// Notices returns the mails about an account that are within the limit of their kind.
func (o *Postage) Notices(userID int64, mails ...NewMail) []NewMail {
	if o == nil || o.Limiter == nil {
		return mails
	}
	var send []NewMail
	for _, mail := range mails {
		key := "about " + strconv.FormatInt(userID, 10) + " " + string(mail.Template)
		if wait, _ := o.Limiter.Take(key, noticeRate()); wait == 0 {
			send = append(send, mail)
		}
	}
	return send
}

// Harmless returns a user-chosen name for use in a mail to somebody else, or "" if a
// mail program could turn it into a link.
func Harmless(name string) string {
	previous := ' '
	for _, r := range name {
		switch {
		case strings.ContainsRune("@/\\:\u2044\u2215\uff20\uff0f\uff1a", r):
			return ""
		case isDot(previous) && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			return ""
		}
		previous = r
	}
	return name
}

// isDot reports what separates the labels of a domain (UTS #46, section 2.3).
func isDot(r rune) bool { return strings.ContainsRune(".\u3002\uff0e\uff61\u2024", r) }
