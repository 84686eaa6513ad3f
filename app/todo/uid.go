package todo

import (
	"encoding/binary"
	"encoding/hex"
	"strings"

	"taskapi/app"
)

// Every task and every list has a uid beside its id: one that its client chose, so that
// it can name the thing before the server has answered, or one that is derived from the
// id. A derived one is not stored: it is a UUID of version 8 (RFC 9562 section 5.8) made
// of the database's seed, the kind and the id, all of which can be read back from it.

// Ref names a task or a list by its id or, with an ID of 0, by its uid. The zero value
// names nothing.
type Ref struct {
	ID  int64
	UID string
}

// ByID returns the Ref of an id.
func ByID(id int64) Ref { return Ref{ID: id} }

// Folded returns the Ref of a UUID in lower case, as it is stored; false for another one.
func (r Ref) Folded() (Ref, bool) {
	lower := strings.ToLower(r.UID)
	_, ok := uuid(lower)
	return Ref{UID: lower}, ok && lower != r.UID
}

// None reports whether nothing is named.
func (r Ref) None() bool { return r == Ref{} }

// Seed is what the derived uids of a database are made of.
type Seed [8]byte

// Kind says what something is in the log of changes and in a derived uid.
type Kind int

// The kinds of things. The numbers are stored.
const (
	KindTask Kind = iota + 1
	KindList
	KindMember
	KindReminder
	KindUser
)

const (
	uidVersion = 0x80 // 8, in the upper half of a byte
	uidVariant = 2 << 62
	uidKind    = 60
	uidID      = 1<<uidKind - 1
)

// UID returns the uid that is derived from an id.
func (s Seed) UID(kind Kind, id int64) string {
	var raw [16]byte
	copy(raw[:], s[:])
	raw[6] = raw[6]&0x0f | uidVersion
	binary.BigEndian.PutUint64(raw[8:], uidVariant|uint64(kind)<<uidKind|uint64(id)&uidID)
	var text [36]byte
	hex.Encode(text[0:8], raw[0:4])
	hex.Encode(text[9:13], raw[4:6])
	hex.Encode(text[14:18], raw[6:8])
	hex.Encode(text[19:23], raw[8:10])
	hex.Encode(text[24:], raw[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// ID returns the id that a uid was derived from, 0 for another one.
func (s Seed) ID(kind Kind, uid string) int64 {
	raw, ok := uuid(uid)
	if !ok {
		return 0
	}
	id := int64(binary.BigEndian.Uint64(raw[8:]) & uidID)
	if s.UID(kind, id) != uid {
		return 0
	}
	return id
}

// uuid reads a UUID in lower case.
func uuid(text string) (raw [16]byte, ok bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' || strings.ToLower(text) != text {
		return raw, false
	}
	n, err := hex.Decode(raw[:], []byte(strings.ReplaceAll(text, "-", "")))
	return raw, err == nil && n == len(raw)
}

// readUID checks the uid that a client chose. Returns "" without one.
func readUID(p app.Problems, field app.Field[string]) string {
	switch field.State {
	case app.Mistyped:
		p.Add("uid", "The field uid must be a string.")
	case app.Present:
		uid := strings.ToLower(field.Value)
		if _, ok := uuid(uid); !ok {
			p.Add("uid", "The field uid must be a UUID such as 0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f.")
		}
		return uid
	}
	return ""
}

// maxUID is how long a uid may be that another program made, in characters.
const maxUID = 255

// ValidUID reports whether a text can be the uid of something that another program made.
func ValidUID(text string) bool {
	rule := app.TextRule{Name: "uid", Min: 1, Max: maxUID}
	return app.Problems{}.Text(rule, app.Given(text)) != nil
}
