package dev

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Limits of a seed.
const (
	MaxUsers = 1000
	MaxTasks = 100_000
)

// Password is that of everybody who is seeded.
const Password = "dev-password"

// Seed says what there is at the beginning. The same seed at the same time is the same people with
// the same tasks, and at another time the dates move along.
type Seed struct {
	Number       uint64
	Users, Tasks int
	Language     string
	// Now is what the dates are around.
	Now time.Time
	// Hash is that of Password.
	Hash string
}

// Person is somebody who is seeded. The first one is an admin.
type Person struct {
	ID       int64
	Username string
	Email    string
	zone     string
}

// The parts of a seed, each of which has chances of its own: more tasks don't change the people.
const (
	partPeople uint64 = iota
	partLists
	partTasks
)

func (s Seed) chances(part uint64) *rand.Rand { return rand.New(rand.NewPCG(s.Number, part)) }

// People returns everybody, in the order of their ids.
func (s Seed) People() []Person {
	words, chance := languageOf(s.Language), s.chances(partPeople)
	first, last := chance.Perm(len(words.first)), chance.Perm(len(words.last))
	people := make([]Person, 0, s.Users)
	for i := range s.Users {
		// Everybody has a first name of their own as long as there are any, and no two have both.
		given, family := words.first[first[i%len(first)]], words.last[last[(i+i/len(first))%len(last)]]
		name, address := given+" "+family, plainLetters(given)+"."+plainLetters(family)
		if again := i / (len(first) * len(last)); again > 0 {
			name, address = fmt.Sprint(name, " ", again+1), fmt.Sprint(address, again+1)
		}
		people = append(people, Person{int64(i + 1), name, address + "@example.com", words.zones[chance.IntN(len(words.zones))]})
	}
	return people
}

// plainLetters returns a name as it stands in an address.
func plainLetters(name string) string {
	folded := strings.NewReplacer("á", "a", "é", "e", "í", "i", "ó", "o", "ú", "u", "ñ", "n").Replace(strings.ToLower(name))
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) {
			return -1
		}
		return r
	}, folded)
}

// uid returns a UUID of version 4 (RFC 9562 section 5.4).
func uid(chance *rand.Rand) string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], chance.Uint64())
	binary.BigEndian.PutUint64(raw[8:], chance.Uint64())
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
