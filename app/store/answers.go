package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"taskapi/app"
)

// Answers of requests with an Idempotency-Key are stored in the transaction of their change,
// so that one is there if and only if the other is. Rows are appended, and found by a hash:
// the key's own text in an index cost three times as much.
//
// A body may hold what is stored nowhere else, such as the link of an invitation. So it is
// encrypted with the client's key, of which the database knows only the hash.

// Limits of the answers that are kept for one account.
const (
	keepAnswers  = 24 * time.Hour
	maxAnswers   = 20_000
	maxAnswered  = 32 << 20 // bytes
	trimAfter    = 1000     // answers or
	trimAfterLen = 4 << 20  // bytes, an account is looked at
	packFrom     = 64 << 10 // bytes
)

// Once runs a change for a request that may be sent again, and keeps its answer; or it returns
// the answer that the request got before, with true. The change must follow the rules of
// Together. An answer of another status than 2xx is not kept, and its change not made.
// Returns app.ErrKeyReused for the key of another request, and Retry.Hidden where the caller
// is no longer a member of a list that the answer shows.
func (db *DB) Once(ctx context.Context, by app.Caller, retry app.Retry, change func(context.Context) (app.Answer, error)) (answer app.Answer, again bool, err error) {
	err = db.write(ctx, db.as(by, func(tx *tx) (err error) {
		if answer, again, err = tx.answerTo(by, retry); err != nil || again {
			return err
		}
		if answer, err = change(tx.insideOf(db)); err != nil {
			return err
		}
		if !answer.Done() {
			return errNotDone
		}
		return db.keepAnswer(tx, retry, answer)
	}))
	if errors.Is(err, errNotDone) {
		return answer, false, nil
	}
	return answer, again, err
}

// errNotDone undoes a change whose answer is no success. Nobody sees it.
var errNotDone = errors.New("not done")

// AnswerTo returns the answer that a request got before, with true; errors are those of Once.
func (db *DB) AnswerTo(ctx context.Context, by app.Caller, retry app.Retry) (answer app.Answer, found bool, err error) {
	tx, err := db.read(ctx)
	if err != nil {
		return answer, false, err
	}
	answer, found, err = tx.answerTo(by, retry)
	return answer, found, translate(err)
}

// KeepAnswer keeps the answer of a request whose change was made in turns of its own.
func (db *DB) KeepAnswer(ctx context.Context, retry app.Retry, answer app.Answer) error {
	return db.write(ctx, func(tx *tx) error { return db.keepAnswer(tx, retry, answer) })
}

// hashOf is what a key is found by. Another key of the same hash has another fingerprint.
func hashOf(key string) int64 {
	sum := sha256.Sum256([]byte(key))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// answerTo finds the answer to a key (?2) of a user (?1), and whether it is hidden: it shows a
// list that is there and that they are no member of, unless everything is theirs (?3).
const answerTo = `SELECT fingerprint, status, body, NOT ?3 AND EXISTS (
	SELECT 1 FROM json_each(shows) JOIN lists l ON l.id = value
	WHERE NOT EXISTS (SELECT 1 FROM members WHERE user_id = ?1 AND list_id = l.id))
	FROM answers WHERE user_id = ?1 AND key = ?2`

func (t *tx) answerTo(by app.Caller, retry app.Retry) (answer app.Answer, found bool, err error) {
	var fingerprint, body []byte
	var hidden bool
	err = t.one(answerTo, []any{retry.UserID, hashOf(retry.Key), everything(by)}, &fingerprint, &answer.Status, &body, &hidden)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return answer, false, nil
	case err != nil:
		return answer, false, err
	case !bytes.Equal(fingerprint, retry.Fingerprint[:]):
		return answer, false, app.ErrKeyReused
	case hidden:
		return answer, false, retry.Hidden
	}
	answer.Header, answer.Body, err = openAnswer(retry, body)
	return answer, err == nil, err
}

// keepAnswer adds an answer, and now and then drops those beyond what an account may keep.
func (db *DB) keepAnswer(tx *tx, retry app.Retry, answer app.Answer) error {
	body, err := sealAnswer(retry, answer)
	if err != nil {
		return err
	}
	err = tx.exec(`INSERT INTO answers (user_id, key, fingerprint, status, body, shows, at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		retry.UserID, hashOf(retry.Key), retry.Fingerprint[:], answer.Status, body, listsText(answer.Lists), millis(db.now()))
	if err != nil {
		return err
	}
	// Only the writer comes here.
	sum := db.answered[retry.UserID]
	sum.count, sum.bytes = sum.count+1, sum.bytes+int64(len(body))
	if sum.count >= trimAfter || sum.bytes >= trimAfterLen {
		sum, err = tx.trimAnswers(retry.UserID, sum)
	}
	db.answered[retry.UserID] = sum
	return err
}

// listsText is NULL for no list.
func listsText(ids []int64) any {
	if len(ids) == 0 {
		return nil
	}
	return jsonOf(ids)
}

// answeredSum is what was kept for an account since it was last looked at, and how many
// bytes it had then, at most; 0 if that was never.
type answeredSum struct {
	count       int
	bytes, most int64
}

// trimAnswers drops the oldest answers of an account beyond what it may keep. It counts them by
// the index, and adds up their bytes only where they may be too many: that reads all rows, and
// took most of the time of the requests with a key of an account that has many.
func (t *tx) trimAnswers(userID int64, sum answeredSum) (answeredSum, error) {
	var n int64
	if err := t.one(`SELECT count(*) FROM answers WHERE user_id = ?`, []any{userID}, &n); err != nil {
		return sum, err
	}
	if n > maxAnswers {
		err := t.exec(`DELETE FROM answers WHERE id IN (SELECT id FROM answers WHERE user_id = ? ORDER BY id LIMIT ?)`+sorts, userID, n-maxAnswers)
		if err != nil {
			return sum, err
		}
	}
	most := sum.most + sum.bytes
	if sum.most == 0 || most > maxAnswered {
		err := t.one(`SELECT coalesce(sum(length(body)), 0) FROM answers WHERE user_id = ?`, []any{userID}, &most)
		if err != nil {
			return sum, err
		}
	}
	sum = answeredSum{most: most} // as before the trimming, which may be rolled back
	if most > maxAnswered {
		return sum, t.trimBytes(userID)
	}
	return sum, nil
}

// trimBytes drops the oldest answers of an account that has too many bytes of them.
func (t *tx) trimBytes(userID int64) error {
	return t.exec(`DELETE FROM answers WHERE user_id = ?1 AND id <= (SELECT max(id) FROM (
			SELECT id, sum(length(body)) OVER (ORDER BY id DESC) AS bytes FROM answers WHERE user_id = ?1) AS newer
		WHERE bytes > ?2)`+sorts, userID, maxAnswered)
}

// pruneAnswers removes what is older than it must be, a chunk in each turn.
func (db *DB) pruneAnswers(ctx context.Context) error {
	const chunk = 2000
	reader, err := db.read(ctx)
	if err != nil {
		return err
	}
	var oldest int64
	if err := reader.one(`SELECT coalesce((SELECT at FROM answers ORDER BY id LIMIT 1), ?)`, []any{millis(db.now())}, &oldest); err != nil {
		return translate(err)
	}
	if oldest > millis(db.now().Add(-keepAnswers)) {
		return nil // writing nothing would write to the disk
	}
	for n := int64(chunk); n == chunk; {
		err := db.write(ctx, func(tx *tx) (err error) {
			n, err = tx.change(`DELETE FROM answers WHERE id IN (SELECT id FROM answers ORDER BY id LIMIT ?) AND at <= ?`, chunk, millis(db.now().Add(-keepAnswers)))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sealer returns what encrypts the body of one answer.
func sealer(retry app.Retry) (cipher.AEAD, error) {
	key := sha256.Sum256(fmt.Appendf(nil, "taskapi answer %d %s", retry.UserID, retry.Key))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// sealAnswer writes the header as a line of JSON and the body after it, packs what is large, and
// encrypts it. The fingerprint makes the nonce: a key that is used again after its answer was dropped
// meets another one, or the same request.
func sealAnswer(retry app.Retry, answer app.Answer) ([]byte, error) {
	header, err := json.Marshal(answer.Header)
	if err != nil {
		return nil, err
	}
	plain := append(append(header, '\n'), answer.Body...)
	if len(plain) >= packFrom {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, err := w.Write(plain)
		if err := errors.Join(err, w.Close()); err != nil {
			return nil, err
		}
		plain = packed.Bytes()
	}
	seal, err := sealer(retry)
	if err != nil {
		return nil, err
	}
	return seal.Seal(nil, retry.Fingerprint[:seal.NonceSize()], plain, nil), nil
}

// openAnswer reverses sealAnswer.
func openAnswer(retry app.Retry, sealed []byte) (header map[string]string, body []byte, err error) {
	seal, err := sealer(retry)
	if err != nil {
		return nil, nil, err
	}
	plain, err := seal.Open(nil, retry.Fingerprint[:seal.NonceSize()], sealed, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("open a kept answer: %w", err)
	}
	if bytes.HasPrefix(plain, []byte{0x1f, 0x8b}) { // gzip; JSON begins otherwise
		r, err := gzip.NewReader(bytes.NewReader(plain))
		if err != nil {
			return nil, nil, err
		}
		if plain, err = io.ReadAll(r); err != nil {
			return nil, nil, err
		}
	}
	first, body, _ := bytes.Cut(plain, []byte("\n"))
	return header, body, json.Unmarshal(first, &header)
}
