package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"taskapi/app"
	"taskapi/app/store"
)

// Why a database can't be opened. The operator reads these.
var (
	// ErrForeign: the schema holds the tables of another program.
	ErrForeign = errors.New("the schema of the database holds the tables of another program; give taskapi a database, or a schema (search_path), of its own")
	// ErrNewer: the tables were made by a later version of taskapi.
	ErrNewer = errors.New("the database was made by a newer version of taskapi")
	// ErrEmpty: there are no tables, and none were to be made.
	ErrEmpty = errors.New("the schema of the database holds no tables")
	// ErrTooOld: the server is older than what taskapi works with.
	ErrTooOld = errors.New("taskapi needs PostgreSQL 15 or later")
	// ErrEncoding: the database can't hold all that people write.
	ErrEncoding = errors.New("the database is not in UTF-8; make one with ENCODING 'UTF8'")
	// ErrReplaced: another database stands at the address than when this process began.
	ErrReplaced = errors.New("the database was restored, or another server has taken over; start taskapi again")
	// ErrUnreachable: nothing answers at the address, or it lets us in not.
	ErrUnreachable = errors.New("the database can't be reached")
)

// translate turns what the server or the network said into one of our kinds, by its code and
// never by its text: https://www.postgresql.org/docs/15/errcodes-appendix.html
func translate(err error) error {
	var ours *app.Error
	if err == nil || errors.As(err, &ours) || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		if lost(err) {
			return busy(fmt.Errorf("%w: %w", ErrUnreachable, tried(err)))
		}
		return err
	}
	switch code := said.Code; {
	case code == "23505":
		return fmt.Errorf("%w: %w", store.ErrUnique, err)
	case code == "40001" || code == "40P01":
		return busy(fmt.Errorf("%w: %w", store.ErrAgain, err))
	case code == "53100":
		return app.ErrDiskFull.With(err)
	case strings.HasPrefix(code, "XX"):
		return app.ErrDatabaseDamaged.With(err)
	// Connections, resources, an operator, a wait that took too long, a standby.
	// So does a password that was changed, or a database that is gone.
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "28"), strings.HasPrefix(code, "3D"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57"),
		code == "55P03", code == "25P03", code == "25006", code == "26000":
		return busy(err)
	}
	return err
}

// triesError is an error of several tries that says each reason once.
type triesError struct {
	error
	text string
}

func (e triesError) Error() string { return e.text }
func (e triesError) Unwrap() error { return e.error }

// tried tells in one line what became of each address: it is tried with TLS and without, which mostly
// fails for one reason.
func tried(err error) error {
	var tries interface{ Unwrap() []error }
	if !errors.As(err, &tries) {
		return err
	}
	var texts []string
	for _, one := range tries.Unwrap() {
		if text := one.Error(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return triesError{err, strings.Join(texts, "; ")}
}

// lost reports that an error is of the way to the server.
func lost(err error) bool {
	var connecting *pgconn.ConnectError
	return errors.As(err, &connecting) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || pgconn.Timeout(err) || errors.Is(err, errClosed)
}

func busy(cause error) error { return app.ErrBusy.With(cause) }
