package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"
)

var (
	// ErrDamaged: the file is a database, but its content is inconsistent.
	ErrDamaged = errors.New("the database is damaged")
	// ErrInUse: there is a log beside the file, so the file alone is incomplete.
	ErrInUse = errors.New("the file is a database in use, not a backup")
	// ErrNotAsMade: the file is not what its manifest says.
	ErrNotAsMade = errors.New("the file is not what it was when it was made")
)

// Manifest describes a backup. It is stored beside it as JSON, with
// ".json" behind the name.
type Manifest struct {
	MadeAt  time.Time `json:"made_at"`
	Version string    `json:"version"` // of taskapi
	Schema  int       `json:"schema"`
	// Scheduled is true for one that makes room for later ones.
	Scheduled bool             `json:"scheduled"`
	Bytes     int64            `json:"bytes"`
	SHA256    string           `json:"sha256"`
	Rows      map[string]int64 `json:"rows"` // by table
}

// Prove opens a database that nobody writes, and reads all of it: it is one of
// ours and no newer than this program, every page and index is sound, every
// reference leads somewhere. It returns what it found, with the file's size
// and hash. Returns ErrNotFile, ErrNotDatabase, ErrForeign, ErrNewer, ErrInUse,
// ErrDamaged, or what the system said.
func Prove(ctx context.Context, path string) (Manifest, error) {
	var m Manifest
	switch info, err := os.Stat(path); {
	case err != nil:
		return m, err
	case !info.Mode().IsRegular():
		return m, ErrNotFile
	}
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		return m, ErrInUse
	}
	var err error
	if m.Bytes, m.SHA256, err = hashFile(ctx, path); err != nil {
		return m, err
	}
	// Immutable: no lock, no log, nothing is written beside the file.
	pool, err := openPool(proofDSN(path), 1)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return m, describe(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if m.Schema, err = schemaVersion(ctx, conn); err != nil {
		return m, describe(err)
	}
	switch current := len(steps()) + 1; {
	case m.Schema == 0:
		return m, ErrForeign
	case m.Schema > current:
		return m, fmt.Errorf("%w (its schema is number %d, this program knows %d)", ErrNewer, m.Schema, current)
	}
	if err = sound(ctx, conn); err != nil {
		return m, err
	}
	m.Rows, err = rowCounts(ctx, conn)
	return m, describe(err)
}

func proofDSN(path string) string {
	return withParams(path, url.Values{"mode": {"ro"}, "immutable": {"1"}, "_query_only": {"1"}, "_dqs": {"0"}})
}

// sound asks SQLite whether everything is where it belongs.
func sound(ctx context.Context, conn *sql.Conn) error {
	var found string
	if err := conn.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&found); err != nil {
		return describe(err)
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, found)
	}
	return referencesLead(ctx, conn)
}

// referencesLead returns ErrDamaged if a row refers to one that is not there.
func referencesLead(ctx context.Context, conn *sql.Conn) error {
	var found string
	err := conn.QueryRowContext(ctx, `SELECT "table" || ' refers to a missing ' || parent FROM pragma_foreign_key_check LIMIT 1`).Scan(&found)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return describe(err)
	}
	return fmt.Errorf("%w: %s", ErrDamaged, found)
}

// rowCounts counts the rows of each table.
func rowCounts(ctx context.Context, conn *sql.Conn) (counts map[string]int64, err error) {
	rows, err := conn.QueryContext(ctx, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	counts = map[string]int64{}
	for _, name := range names {
		var n int64
		// The names are those of our own schema, without anything to escape.
		if err := conn.QueryRowContext(ctx, `SELECT count(*) FROM "`+name+`"`).Scan(&n); err != nil {
			return nil, err
		}
		counts[name] = n
	}
	return counts, rows.Err()
}

func hashFile(ctx context.Context, path string) (size int64, sum string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	hash := sha256.New()
	for {
		n, err := io.CopyN(hash, file, 1<<20)
		size += n
		if errors.Is(err, io.EOF) {
			return size, hex.EncodeToString(hash.Sum(nil)), nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return 0, "", err
		}
	}
}
