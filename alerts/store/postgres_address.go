package store

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Times of a session, where the address names no others.
const (
	connectLimit   = 5 * time.Second
	statementLimit = time.Minute      // of one statement, waiting for the turn included
	idleLimit      = 30 * time.Second // of a transaction whose owner says nothing
	deadPeer       = 30 * time.Second // after which a silent connection is given up, by both sides
	sessionLife    = time.Hour        // after which a connection makes way for a new one
)

// CheckURL explains what is wrong with the address of a PostgreSQL database. The
// error holds nothing of a password.
func CheckURL(address string) error {
	_, err := parsePostgres(address)
	return err
}

func parsePostgres(address string) (*pgx.ConnConfig, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Opaque != "" {
		// What url.Parse says quotes parts of the address, the password among them.
		return nil, errors.New("must be an address such as postgres://user:password@host:5432/database; write : / ? # [ ] @ % in a password as %3A %2F %3F %23 %5B %5D %40 %25")
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		if reason := errors.Unwrap(err); reason != nil {
			err = reason // without the address
		} else {
			err = errors.New("a setting in it is not one of PostgreSQL's")
		}
		if password, _ := u.User.Password(); password != "" && strings.Contains(err.Error(), password) {
			err = errors.New("it cannot be read")
		}
		return nil, fmt.Errorf("address of PostgreSQL: %w", err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectLimit
	}
	for name, value := range map[string]string{
		"application_name":                    "weimang",
		"statement_timeout":                   millisText(statementLimit),
		"idle_in_transaction_session_timeout": millisText(idleLimit),
		"tcp_keepalives_idle":                 "15",
		"tcp_keepalives_interval":             "5",
		"tcp_keepalives_count":                "3",
		"tcp_user_timeout":                    millisText(deadPeer),
	} {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	dialer := &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
		Control:         giveUpDeadPeers,
	}
	config.DialFunc = dialer.DialContext
	return config, nil
}

func millisText(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }
