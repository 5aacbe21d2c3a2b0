package stream

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// TLSFiles are PEM files by which brokers and this client know each other.
// Every field may be empty. The brokers' certificates are always verified.
type TLSFiles struct {
	CA         string // authorities that sign the brokers' certificates; "": the system's
	Cert, Key  string // what this client shows of itself; both or neither
	ServerName string // the name in the brokers' certificates; "": the host each is dialled by
}

// Config reads the files. The error names the one that cannot be used.
func (f TLSFiles) Config() (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.ServerName}
	if f.CA != "" {
		pem, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", f.CA)
		}
	}
	switch {
	case f.Cert == "" && f.Key == "":
		return cfg, nil
	case f.Cert == "" || f.Key == "":
		return nil, errors.New("a client's certificate and its key go together, and only one is given")
	}
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("client certificate %s with key %s: %w", f.Cert, f.Key, err)
	}
	cfg.Certificates = []tls.Certificate{pair}
	return cfg, nil
}

// Mechanisms are the names SASL knows, in the order of simplicity. The first
// sends the password as it is and belongs on TLS only.
var Mechanisms = []string{"plain", "scram-sha-256", "scram-sha-512"}

// SASL returns the mechanism of that name, one of Mechanisms, for a user.
func SASL(mechanism, user, password string) (sasl.Mechanism, error) {
	switch mechanism {
	case "plain":
		return plain.Mechanism{Username: user, Password: password}, nil
	case "scram-sha-256":
		return scram.Mechanism(scram.SHA256, user, password)
	case "scram-sha-512":
		return scram.Mechanism(scram.SHA512, user, password)
	default:
		return nil, fmt.Errorf("SASL mechanism %q must be %s", mechanism, strings.Join(Mechanisms, " or "))
	}
}

// RefusedError says that a broker and this client do not accept each other:
// trying again does not help, a change of settings does.
type RefusedError struct {
	Hint string // what to look at
	Err  error
}

func (e *RefusedError) Error() string { return e.Hint + ": " + e.Err.Error() }

func (e *RefusedError) Unwrap() error { return e.Err }

// explain turns what came of a first conversation with a broker into what an
// operator can act on. Where the broker only hung up the reason is a guess,
// and no RefusedError: a broker that is restarting hangs up too.
func (c *Client) explain(err error) error {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		record   tls.RecordHeaderError
		remote   *net.OpError
	)
	refused := func(hint string) error { return &RefusedError{Hint: hint, Err: err} }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unknown):
		return refused("the broker's certificate is not signed by an authority that is trusted here (kafka.tls.ca)")
	case errors.As(err, &hostname):
		return refused("the broker's certificate is for another name (kafka.tls.server_name)")
	case errors.As(err, &invalid):
		return refused("the broker's certificate is not valid")
	case errors.As(err, &record):
		return refused("this port does not speak TLS (kafka.tls.enabled)")
	// crypto/tls does not export its alerts: they are known by their words.
	case errors.As(err, &remote) && remote.Op == "remote error" && strings.Contains(remote.Err.Error(), "certificate"):
		return refused("the broker does not accept this client's certificate, or misses one (kafka.tls.cert, kafka.tls.key)")
	case errors.Is(err, kafka.SASLAuthenticationFailed):
		return refused("the broker refuses user or password (kafka.sasl.user, kafka.sasl.password)")
	case errors.Is(err, kafka.UnsupportedSASLMechanism):
		return refused("the broker does not offer this way of logging in (kafka.sasl.mechanism)")
	case errors.Is(err, kafka.IllegalSASLState):
		return refused("this port asks for no password (kafka.sasl.mechanism)")
	case !hungUp(err):
		return err
	}
	guess := "want TLS (kafka.tls.enabled)"
	switch tls, password := c.cfg.TLS != nil, c.cfg.SASL != nil; {
	case tls && password:
		guess = "speak TLS (kafka.tls.enabled)"
	case tls:
		guess = "speak TLS, and ask for no password (kafka.tls.enabled, kafka.sasl.mechanism)"
	case !password:
		guess = "want TLS or a password (kafka.tls.enabled, kafka.sasl.mechanism)"
	}
	return fmt.Errorf("the broker hung up: does this port %s? %w", guess, err)
}

func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, os.ErrDeadlineExceeded)
}
