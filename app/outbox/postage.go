package outbox

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"taskapi/app"
)

// How many mails somebody can make the server send. Whom they reach has not
// asked for them, so they are counted by recipient, over all kinds of mail, and
// by the account that asks.
func recipientRate() app.Rate { return app.Rate{Burst: 6, Every: 10 * time.Minute} }
func senderRate() app.Rate    { return app.Rate{Burst: 10, Every: 6 * time.Minute} }

// noticeRate is for each kind of notice about one account. What was done is in
// the audit record even when the mail is not sent.
func noticeRate() app.Rate { return app.Rate{Burst: 5, Every: 10 * time.Minute} }

// Postage bounds the mails that people cause, so that nobody makes the server
// flood a mailbox. Without a Limiter there is no bound.
type Postage struct {
	Limiter *app.Limiter
}

// Take counts a mail to an address, by the account that asks for it unless
// that is 0. With a wait it may not be sent; first tells the first refusal of a
// series.
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

// Forget gives an address all of its mails back: its owner has followed a link.
func (o *Postage) Forget(to string) {
	if o != nil && o.Limiter != nil {
		o.Limiter.Forget(recipientKey(to))
	}
}

func recipientKey(to string) string { return "to " + app.EmailKey(to) }

// Notices returns those mails about an account of which there have not been
// too many lately.
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

// Harmless returns a name that somebody chose as it may stand in a mail to
// somebody else, and nothing when a mail program could make a link of it: the
// mail would carry a stranger's words.
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
