package mariadb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/go-sql-driver/mysql"
)

// Numbers of errors: https://mariadb.com/kb/en/mariadb-error-codes/
const (
	errAccessToDatabase = 1044
	errAccess           = 1045
	errNoDatabase       = 1049
	errSocketAccess     = 1698 // this account signs in by the system's user alone
)

// describe says in a sentence what to do when a database can't be opened.
func describe(err error, c *mysql.Config) error {
	var already missing
	var refused *mysql.MySQLError
	var network net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &already), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &refused):
		return describeRefusal(refused, c)
	case errors.As(err, &certificate):
		return fmt.Errorf("the certificate of the database server at %s can't be trusted; use the host name that it was made for, or leave out tls=true (%w)", c.Addr, err)
	case errors.As(err, &network):
		return fmt.Errorf("the database server at %s can't be reached; check host and port, and that it is running (%w)", c.Addr, err)
	}
	return fmt.Errorf("the server at %s does not answer as MariaDB does; check host and port, or add ?tls=false (%w)", c.Addr, err)
}

func describeRefusal(refused *mysql.MySQLError, c *mysql.Config) error {
	switch refused.Number {
	case errAccess, errSocketAccess:
		return fmt.Errorf("the database server at %s does not let %q in; check the user and the password (%w)", c.Addr, c.User, refused)
	case errAccessToDatabase:
		return fmt.Errorf("the user %q may not read the database %q; check its name, or grant SELECT on it (%w)", c.User, c.DBName, refused)
	case errNoDatabase:
		return fmt.Errorf("the database server at %s has no database %q; check the name (%w)", c.Addr, c.DBName, refused)
	}
	return fmt.Errorf("the database server at %s refuses (%w)", c.Addr, refused)
}
