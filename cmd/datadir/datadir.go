// Package datadir is the folder that holds everything a server keeps: the
// database, the key, and the files that say who uses it.
package datadir

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"taskapi/app/sqlite"
	"taskapi/app/token"
)

// The files in the data folder.
const (
	DatabaseFile  = "taskapi.db"
	KeyFile       = "secret.key"
	LockFile      = "taskapi.lock"
	publicURLFile = "public-url"
	addressFile   = "address"
	CertsFolder   = "certificates" // of acme-domain
)

// Dir is the data folder, which holds everything.
type Dir struct{ Path string }

// Database returns the path of the database file.
func (d Dir) Database() string { return filepath.Join(d.Path, DatabaseFile) }

// Make makes the folder, for this user only.
func (d Dir) Make() error {
	if info, err := os.Stat(d.Path); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is not a folder; choose another with --data-dir", d.Path)
	}
	if err := sqlite.MakeDir(d.Path); err != nil {
		return fmt.Errorf("the data folder %s can't be made; choose another with --data-dir or change who may write there (%w)", d.Path, err)
	}
	return nil
}

// errServing says that a server has the database open.
var errServing = errors.New("a server is using this data folder")

// Lock makes sure that no other server uses the folder. Call release at the end.
func (d Dir) Lock() (release func() error, err error) {
	lock := flock.New(filepath.Join(d.Path, LockFile), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, d.unwritable(LockFile, err)
	}
	if !locked {
		return nil, fmt.Errorf("%w: %s; stop that server first, or choose another folder with --data-dir", errServing, d.Path)
	}
	return lock.Unlock, nil
}

// Served reports whether a server uses the folder. It makes nothing.
func (d Dir) Served() bool {
	if _, err := os.Stat(filepath.Join(d.Path, LockFile)); err != nil {
		return false
	}
	release, err := d.Lock()
	if err == nil {
		err = release()
	}
	return errors.Is(err, errServing)
}

// WasServed reports whether a server has used the folder before.
func (d Dir) WasServed() bool {
	_, err := os.Stat(filepath.Join(d.Path, publicURLFile))
	return err == nil
}

// WarnOfLosses logs a warning for each file that a folder in use should have and
// that is about to be made anew. Elsewhere says that the database is no file in it.
func (d Dir) WarnOfLosses(elsewhere, keySet bool, log *slog.Logger) {
	if !d.WasServed() {
		return
	}
	if _, err := os.Stat(d.Database()); errors.Is(err, fs.ErrNotExist) && !elsewhere {
		log.Warn("the database is gone and a new one is made; if it should be there, stop and restore a backup", "path", d.Database())
	}
	if _, err := os.Stat(filepath.Join(d.Path, KeyFile)); errors.Is(err, fs.ErrNotExist) && !keySet {
		log.Warn("the key of the tokens is gone and a new one is made: everybody signs in again", "path", filepath.Join(d.Path, KeyFile))
	}
}

// NotePublicURL stores the address of the server for commands that make links.
func (d Dir) NotePublicURL(url string) error {
	if d.PublicURL("") == url {
		return nil
	}
	if err := os.WriteFile(filepath.Join(d.Path, publicURLFile), []byte(url+"\n"), 0o600); err != nil {
		return d.unwritable(publicURLFile, err)
	}
	return nil
}

// NoteAddress stores where on this machine the server answers, for commands that
// ask it. The address counts for as long as the folder is served.
func (d Dir) NoteAddress(address string) error {
	if err := os.WriteFile(filepath.Join(d.Path, addressFile), []byte(address+"\n"), 0o600); err != nil {
		return d.unwritable(addressFile, err)
	}
	return nil
}

// ForgetAddress removes what NoteAddress has stored.
func (d Dir) ForgetAddress() error {
	if err := os.Remove(filepath.Join(d.Path, addressFile)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Address returns where the server that uses the folder answers, "" without one.
func (d Dir) Address() string {
	text, err := os.ReadFile(filepath.Join(d.Path, addressFile))
	if err != nil || !d.Served() {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// unwritable says what to do about a file, or about the folder if the file is not
// there.
func (d Dir) unwritable(name string, err error) error {
	path := filepath.Join(d.Path, name)
	if _, statErr := os.Stat(path); statErr == nil {
		return notOurs(path, err)
	}
	return fmt.Errorf("the data folder %s can't be written; choose another with --data-dir or change who may write there (%w)", d.Path, err)
}

// Unmake removes a folder that holds nothing but the lock.
func (d Dir) Unmake() error {
	entries, err := os.ReadDir(d.Path)
	if err != nil || len(entries) > 1 || len(entries) == 1 && entries[0].Name() != LockFile {
		return err
	}
	return os.RemoveAll(d.Path)
}

// PublicURL returns the address that the last server had, or another one.
func (d Dir) PublicURL(otherwise string) string {
	text, err := os.ReadFile(filepath.Join(d.Path, publicURLFile))
	if url := strings.TrimSpace(string(text)); err == nil && url != "" {
		return url
	}
	return otherwise
}

// Open opens the database in the folder, and says in a sentence what to do if it can't.
func (d Dir) Open(ctx context.Context, o sqlite.Options) (*sqlite.DB, error) {
	path := d.Database()
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder and not a database; move it away, or choose another folder with --data-dir", path)
	}
	// A power cut can leave a file without its content; an empty one would
	// become a new database in silence.
	if info, err := os.Stat(path); err == nil && info.Size() == 0 && d.WasServed() {
		return nil, fmt.Errorf("%s is empty, and it was not; restore a backup with \"taskapi db restore\", or begin anew with \"taskapi db reset\"", path)
	}
	// SQLite makes its files with the process's umask, and the log and the index
	// beside the database with the mode of that: nobody else may read them.
	if file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
	if err := ownFiles(path); err != nil {
		return nil, err
	}
	o.Path = path
	db, err := sqlite.Open(ctx, o)
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, sqlite.ErrNewer):
		return nil, fmt.Errorf("%s was made by a newer version of taskapi; install that version or restore a backup (%w)", path, err)
	case errors.Is(err, sqlite.ErrNotDatabase), errors.Is(err, sqlite.ErrDamaged):
		return nil, fmt.Errorf("%s is not a database, or is damaged; restore a backup, or begin anew with \"taskapi db reset\" (%w)", path, err)
	case errors.Is(err, sqlite.ErrOtherTimeline):
		return nil, fmt.Errorf("%s", OtherTimeline(path))
	case errors.Is(err, sqlite.ErrForeign):
		return nil, fmt.Errorf("%s belongs to another program; choose another folder with --data-dir", path)
	case errors.Is(err, sqlite.ErrLocked):
		return nil, fmt.Errorf("%s is held by another process; try again when that has ended (%w)", path, err)
	case errors.Is(err, sqlite.ErrFull):
		return nil, fmt.Errorf("the disk of %s is full; make room and try again (%w)", path, err)
	case errors.Is(err, sqlite.ErrReadOnly):
		return nil, fmt.Errorf("%s can't be written; change who may write there, or choose another folder with --data-dir (%w)", path, err)
	}
	return nil, fmt.Errorf("%s can't be opened: %w", path, err)
}

// OpenExisting opens a database that must be there already.
func (d Dir) OpenExisting(ctx context.Context, o sqlite.Options) (*sqlite.DB, error) {
	_, err := os.Lstat(d.Database())
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the data folder %s can't be read; run this as the user it belongs to, or choose another with --data-dir (%w)", d.Path, err)
	case err != nil:
		return nil, fmt.Errorf("there is no database in %s; make one with \"taskapi db init\", or name the right folder with --data-dir", d.Path)
	}
	return d.Open(ctx, o)
}

// OtherTimeline says what to do about a file that was put in the place of the
// database by hand.
func OtherTimeline(path string) string {
	return fmt.Sprintf("%s was put there by hand, and %s-wal beside it, the log of the database that was there before, would undo it; move %s to another folder and run \"taskapi db restore FILE\" with it, which keeps the log as well", path, filepath.Base(path), filepath.Base(path))
}

// ownFiles makes sure that this user may write the files of the database, before
// SQLite opens them: it would take one that is read-only as it is, and make the
// files beside it alike.
func ownFiles(path string) error {
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.Mode().Perm() != 0o600 {
			err = os.Chmod(name, 0o600)
		}
		if err == nil {
			var file *os.File
			if file, err = os.OpenFile(name, os.O_RDWR, 0); err == nil {
				err = file.Close()
			}
		}
		if err != nil {
			return notOurs(name, err)
		}
	}
	return nil
}

func notOurs(path string, err error) error {
	return fmt.Errorf("this user may not write %s; run taskapi as the user it belongs to, or give it to this one with chown (%w)", path, err)
}

// CheckFiles returns an error for the first file that keeps a server of this user
// from starting, and nil for one whose mode the start puts right. It changes nothing.
func (d Dir) CheckFiles() error {
	for _, name := range []string{DatabaseFile, DatabaseFile + "-wal", DatabaseFile + "-shm", LockFile, publicURLFile, addressFile} {
		path := filepath.Join(d.Path, name)
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue // others tell of it
		}
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err == nil {
			err = file.Close()
		} else if strings.HasPrefix(name, DatabaseFile) && os.Chmod(path, info.Mode()) == nil {
			err = nil // only its owner may set a mode
		}
		if err != nil {
			return notOurs(path, err)
		}
	}
	return nil
}

// Secret returns the key that signs tokens: the one that was set, else the one
// in the folder, which the first start makes.
func (d Dir) Secret(set string) ([]byte, error) {
	key, err := d.StoredSecret(set)
	if errors.Is(err, fs.ErrNotExist) {
		return d.makeSecret(filepath.Join(d.Path, KeyFile))
	}
	return key, err
}

// StoredSecret is Secret, but returns fs.ErrNotExist before the first start.
func (d Dir) StoredSecret(set string) ([]byte, error) {
	if set != "" {
		return []byte(set), nil
	}
	path := filepath.Join(d.Path, KeyFile)
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the key file %s can't be read; make it readable for this user (%w)", path, err)
	}
	key := strings.TrimSpace(string(content))
	if len(key) < token.MinSecret {
		return nil, fmt.Errorf("the key file %s holds less than %d bytes; delete it, and a new one is made (everybody signs in again)", path, token.MinSecret)
	}
	return []byte(key), nil
}

// ErrOtherKey says that a token of this process would be worth nothing to the others.
var ErrOtherKey = errors.New("the other taskapi processes that use the database sign tokens with another key; give this one the same TASKAPI_JWT_SECRET, " +
	"or a copy of their secret.key in its data folder (if you change the key of all of them, stop them, and run with psql: DELETE FROM meta WHERE name = 'key_check')")

// OtherKey reports whether there is a key here that token.KeyCheck tells from the one that sum was
// made of.
func (d Dir) OtherKey(set, sum string) bool {
	secret, err := d.StoredSecret(set)
	if err != nil {
		return false // what can't be read is told where it is needed
	}
	ours, err := token.KeyCheck(secret)
	return err == nil && ours != sum
}

// makeSecret writes a new key so that a cut leaves a whole one or none.
func (d Dir) makeSecret(path string) ([]byte, error) {
	random := make([]byte, 48)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	key := base64.RawURLEncoding.EncodeToString(random)
	temporary, err := os.CreateTemp(d.Path, KeyFile+".*")
	if err != nil {
		return nil, err
	}
	_, err = temporary.WriteString(key + "\n")
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err == nil {
		err = sqlite.SyncDir(d.Path) // with another key everybody would have to sign in again
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the key file %s can't be written: %w", path, err), os.Remove(temporary.Name()))
	}
	return []byte(key), nil
}
