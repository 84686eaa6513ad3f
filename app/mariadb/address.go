package mariadb

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// How long things may take.
const (
	dialTimeout = 10 * time.Second
	// startTimeout is for all that comes before the first row.
	startTimeout = 30 * time.Second
	// idleTimeout is how long the server may be silent in the middle of an
	// answer.
	idleTimeout = 60 * time.Second
)

// Address is the address of a database, with the user that connects.
type Address struct{ config *mysql.Config }

// IsAddress reports whether a text means a database rather than a file.
func IsAddress(text string) bool {
	scheme, _, found := strings.Cut(text, "://")
	return found && scheme != ""
}

// ParseAddress reads mysql://user:password@host:port/database. The scheme may
// be mariadb, and name a driver of SQLAlchemy, as mysql+pymysql does. Of
// parameters it knows tls=true (which checks the certificate), tls=false,
// unix_socket=PATH, and charset, which changes nothing. Errors never hold the
// password.
func ParseAddress(text string) (Address, error) {
	u, err := url.Parse(text)
	if err != nil {
		// url.Error would repeat the text, password and all.
		return Address{}, errors.New("the address can't be read; write mysql://user@host:3306/database, and %40 for an @ in a name or password")
	}
	if kind, _, _ := strings.Cut(u.Scheme, "+"); kind != "mysql" && kind != "mariadb" {
		return Address{}, fmt.Errorf("addresses of the kind %s:// are not known; write mysql://user@host:3306/database", u.Scheme)
	}
	name := strings.TrimPrefix(u.Path, "/")
	if name == "" || strings.Contains(name, "/") {
		return Address{}, errors.New("the address names no database; write mysql://user@host:3306/database")
	}
	config := mysql.NewConfig()
	config.DBName = name
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.Net, config.Addr = "tcp", net.JoinHostPort(orElse(u.Hostname(), "localhost"), orElse(u.Port(), "3306"))
	config.Timeout, config.ReadTimeout, config.WriteTimeout = dialTimeout, idleTimeout, idleTimeout
	// Encrypted where the server can, as clients of MariaDB do it.
	config.TLSConfig = "preferred"
	config.Logger = &mysql.NopLogger{} // what it says comes back as errors, too
	// All texts arrive as UTF-8 and all moments as UTC, whatever the tables have.
	config.Params = map[string]string{"time_zone": "'+00:00'"}
	if err := config.Apply(mysql.Charset("utf8mb4", "")); err != nil {
		return Address{}, err
	}
	return Address{config}, parameters(config, u.Query())
}

func parameters(config *mysql.Config, values url.Values) error {
	for name := range values {
		value := values.Get(name)
		switch {
		case name == "charset":
		case name == "tls" && slices.Contains([]string{"true", "false", "preferred"}, value):
			config.TLSConfig = value
		case name == "unix_socket" && value != "":
			config.Net, config.Addr, config.TLSConfig = "unix", value, "false"
		default:
			return fmt.Errorf("the address has a parameter %q that can't be used; known are tls=true, tls=false and unix_socket=PATH", name)
		}
	}
	return nil
}

// HasPassword reports whether the address holds a password.
func (a Address) HasPassword() bool { return a.config.Passwd != "" }

// User returns the user that connects, for a prompt.
func (a Address) User() string { return a.config.User }

// WithPassword returns the address with a password.
func (a Address) WithPassword(password string) Address {
	config := a.config.Clone()
	config.Passwd = password
	return Address{config}
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
