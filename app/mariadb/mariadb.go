// Package mariadb reads the database of the Flask tutorial: users, tasks and
// refresh tokens, as Flask-SQLAlchemy has made their tables in MariaDB or MySQL.
// It changes nothing there.
package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"taskapi/app/operate"

	"github.com/go-sql-driver/mysql"
)

// table is a table of the tutorial. It may have more columns.
type table struct {
	name, what string
	needed     []string
	optional   []string
}

// userTable and taskTable are app/models.py, and what it may have been
// stretched by.
func userTable() table {
	return table{name: "user", what: "user", needed: []string{"id", "username", "email", "password"}, optional: []string{"date_created"}}
}

func taskTable() table {
	return table{name: "task", what: "task", needed: []string{"id", "title", "user_id"},
		optional: []string{"description", "completed", "date_created", "date_completed"}}
}

const tokenTable = "refresh_token"

// Source is the database at one moment: what is written there while it is
// open is not seen.
type Source struct {
	pool *sql.DB
	conn *sql.Conn
	name string
	// columns of each table that is there, of those that we know.
	columns map[string][]string
}

var _ operate.ImportSource = (*Source)(nil)

// Open connects, and fails with a sentence for the operator if that is not
// possible or a table is missing. Close the source in the end.
func Open(ctx context.Context, a Address) (*Source, error) {
	connector, err := mysql.NewConnector(a.config)
	if err != nil {
		return nil, fmt.Errorf("the address of the database can't be used (%w)", err)
	}
	s := &Source{pool: sql.OpenDB(connector), name: a.config.DBName, columns: map[string][]string{}}
	limit, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := s.start(limit); err != nil {
		return nil, errors.Join(describe(err, a.config), s.Close())
	}
	return s, nil
}

func (s *Source) start(ctx context.Context) (err error) {
	if s.conn, err = s.pool.Conn(ctx); err != nil {
		return err
	}
	for _, query := range []string{
		"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
	} {
		if _, err := s.conn.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	if err := s.findColumns(ctx); err != nil {
		return err
	}
	for _, t := range []table{userTable(), taskTable()} {
		if err := s.check(t); err != nil {
			return err
		}
	}
	return nil
}

// findColumns asks the database what it consists of.
func (s *Source) findColumns(ctx context.Context) (err error) {
	rows, err := s.conn.QueryContext(ctx, `SELECT table_name, column_name FROM information_schema.columns
		WHERE table_schema = DATABASE() AND table_name IN (?, ?, ?)`, userTable().name, taskTable().name, tokenTable)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return err
		}
		s.columns[table] = append(s.columns[table], column)
	}
	return rows.Err()
}

// missing is a sentence about the database that needs no more words.
type missing string

func (m missing) Error() string { return string(m) }

func (s *Source) check(t table) error {
	found := s.columns[t.name]
	if len(found) == 0 {
		return missing(fmt.Sprintf("the database %s has no table %q that this user may read; name the database of the tutorial", s.name, t.name))
	}
	for _, column := range t.needed {
		if !slices.Contains(found, column) {
			return missing(fmt.Sprintf("the table %q of the database %s has no column %q; it is not the tutorial's", t.name, s.name, column))
		}
	}
	return nil
}

// Close ends the transaction and the connection.
func (s *Source) Close() error {
	var errs []error
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	return errors.Join(append(errs, s.pool.Close())...)
}

// Users calls each for every user.
func (s *Source) Users(ctx context.Context, each func(operate.ImportRow) error) error {
	return s.rows(ctx, userTable(), each)
}

// Lists has none: the tutorial knows no lists.
func (*Source) Lists(context.Context, func(operate.ImportRow) error) error { return nil }

// Tasks calls each for every task.
func (s *Source) Tasks(ctx context.Context, each func(operate.ImportRow) error) error {
	return s.rows(ctx, taskTable(), each)
}

// RefreshTokens counts them; 0 without the table, which section 10 brings.
func (s *Source) RefreshTokens(ctx context.Context) (n int64, err error) {
	if len(s.columns[tokenTable]) == 0 {
		return 0, nil
	}
	err = s.conn.QueryRowContext(ctx, "SELECT count(*) FROM `"+tokenTable+"`").Scan(&n)
	return n, reading(tokenTable, err)
}

// rows walks a table in the order of its ids, a row at a time.
func (s *Source) rows(ctx context.Context, t table, each func(operate.ImportRow) error) (err error) {
	columns := slices.Clone(t.needed)
	for _, column := range t.optional {
		if slices.Contains(s.columns[t.name], column) {
			columns = append(columns, column)
		}
	}
	// The names are ours, not the database's.
	rows, err := s.conn.QueryContext(ctx, "SELECT `"+strings.Join(columns, "`, `")+"` FROM `"+t.name+"` ORDER BY id")
	if err != nil {
		return reading(t.name, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]sql.NullString, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return reading(t.name, err)
		}
		row := operate.ImportRow{Where: t.what + " " + values[0].String, Values: make(map[string]string, len(columns))}
		for i, value := range values {
			if value.Valid {
				row.Values[columns[i]] = value.String
			}
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return reading(t.name, rows.Err())
}

func reading(table string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the table %q can't be read to its end; try again (%w)", table, err)
}
