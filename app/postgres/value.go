package postgres

import (
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// The types whose values are told apart:
// https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/catalog/pg_type.dat
const (
	oidBool    = 16
	oidBytea   = 17
	oidInt8    = 20
	oidInt2    = 21
	oidInt4    = 23
	oidText    = 25
	oidNumeric = 1700
)

const (
	formatText   = 0
	formatBinary = 1
)

// values are the parameters of one run of a statement.
type values struct {
	raw     [][]byte
	formats []int16
	// types are those that the server is told; 0 is for it to find out.
	types []uint32
}

// encode makes parameters of Go values, by the same rules as database/sql.
func encode(args []any) (v values, err error) {
	v = values{make([][]byte, len(args)), make([]int16, len(args)), make([]uint32, len(args))}
	for i, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return v, fmt.Errorf("parameter %d: %w", i+1, err)
		}
		switch value := value.(type) {
		case nil:
		case int64:
			v.raw[i], v.types[i] = strconv.AppendInt(nil, value, 10), oidInt8
		case bool: // of a column of numbers, or of a condition: both know 0 and 1
			v.raw[i] = []byte{'0'}
			if value {
				v.raw[i][0] = '1'
			}
		case string:
			// PostgreSQL knows no NUL in texts, and refuses the whole statement. Nothing that is stored
			// has one, or another control character: what was looked for is not there.
			v.raw[i], v.types[i] = []byte(strings.ReplaceAll(value, "\x00", "\x01")), oidText
		case []byte:
			v.raw[i], v.types[i], v.formats[i] = value, oidBytea, formatBinary
		default:
			return v, fmt.Errorf("parameter %d: %T has no place in the schema", i+1, value)
		}
	}
	return v, nil
}

// record is a row of an answer.
type record struct {
	fields []pgconn.FieldDescription
	raw    [][]byte
}

// Scan implements store.Row, by the same rules as database/sql, and reads numbers as truth.
func (r record) Scan(dest ...any) error {
	if len(dest) != len(r.raw) {
		return fmt.Errorf("%d columns are read into %d", len(r.raw), len(dest))
	}
	for i, to := range dest {
		if err := decode(r.fields[i], r.raw[i], to); err != nil {
			return fmt.Errorf("column %d, %s: %w", i+1, r.fields[i].Name, err)
		}
	}
	return nil
}

var errNull = errors.New("NULL has no place here")

func decode(field pgconn.FieldDescription, raw []byte, to any) error {
	switch to := to.(type) {
	case *int64:
		n, err := number(field, raw)
		*to = n
		return err
	case *string:
		if raw == nil {
			return errNull
		}
		*to = string(raw)
		return nil
	case *bool:
		n, err := number(field, raw)
		*to = n != 0
		return err
	case *[]byte:
		bytes, err := bytesOf(field, raw)
		*to = bytes
		return err
	case sql.Scanner:
		value, err := valueOf(field, raw)
		if err != nil {
			return err
		}
		return to.Scan(value)
	}
	return decodeKind(field, raw, reflect.ValueOf(to).Elem())
}

// decodeKind is decode for types that are made of plain ones.
func decodeKind(field pgconn.FieldDescription, raw []byte, to reflect.Value) error {
	switch {
	case to.Kind() == reflect.Pointer && raw == nil:
		to.SetZero()
		return nil
	case to.Kind() == reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return decode(field, raw, to.Interface())
	case to.CanInt():
		n, err := number(field, raw)
		to.SetInt(n)
		return err
	case to.CanUint():
		n, err := number(field, raw)
		to.SetUint(uint64(n))
		return err
	case to.Kind() == reflect.String && raw != nil:
		to.SetString(string(raw))
		return nil
	case to.Kind() == reflect.Bool:
		n, err := number(field, raw)
		to.SetBool(n != 0)
		return err
	case raw == nil:
		return errNull
	}
	return fmt.Errorf("%s is nothing to read into", to.Type())
}

// number reads a number, or 1 for true.
func number(field pgconn.FieldDescription, raw []byte) (int64, error) {
	switch {
	case raw == nil:
		return 0, errNull
	case field.DataTypeOID != oidBool:
		return strconv.ParseInt(string(raw), 10, 64)
	case len(raw) == 1 && raw[0] == 't':
		return 1, nil
	}
	return 0, nil
}

func bytesOf(field pgconn.FieldDescription, raw []byte) ([]byte, error) {
	switch {
	case raw == nil:
		return nil, nil
	case field.DataTypeOID == oidBytea && field.Format == formatText:
		if len(raw) < 2 || raw[0] != '\\' || raw[1] != 'x' {
			return nil, errors.New("bytes are not written in hexadecimal")
		}
		return hex.DecodeString(string(raw[2:]))
	}
	return append([]byte{}, raw...), nil
}

// valueOf returns a value as a sql.Scanner expects it.
func valueOf(field pgconn.FieldDescription, raw []byte) (any, error) {
	if raw == nil {
		return nil, nil
	}
	switch field.DataTypeOID {
	case oidBool, oidInt8, oidInt4, oidInt2, oidNumeric:
		return number(field, raw)
	case oidBytea:
		return bytesOf(field, raw)
	}
	return string(raw), nil
}
