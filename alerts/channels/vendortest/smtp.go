package vendortest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net"
	"net/mail"
	"strings"
	"sync"
	"time"
)

// SMTPOptions are how a mail server behaves.
type SMTPOptions struct {
	Mailboxes      []string
	User, Password string // "" asks for no login
	StartTLS       bool
	TLS            bool // from the start
	PerMinute      int  // letters; 0 is any number
}

// SMTP is a mail server on loopback. It knows a letter that it has by its
// Message-ID, as mail programs do, and shows it once.
type SMTP struct {
	vendor
	opts     SMTPOptions
	listener net.Listener
	config   *tls.Config
	roots    *x509.CertPool
	wg       sync.WaitGroup
	connMu   sync.Mutex
	conns    map[net.Conn]bool
}

// NewSMTP starts a server; now is its clock, nil for time.Now.
func NewSMTP(o SMTPOptions, now func() time.Time) (*SMTP, error) {
	s := &SMTP{vendor: newVendor(now), opts: o, conns: make(map[net.Conn]bool)}
	var err error
	if s.config, s.roots, err = selfSigned(); err != nil {
		return nil, err
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil { //nolint:noctx // ends with Close
		return nil, err
	}
	s.wg.Go(s.accept)
	return s, nil
}

// Addr is host:port.
func (s *SMTP) Addr() string { return s.listener.Addr().String() }

// ClientTLS trusts the server.
func (s *SMTP) ClientTLS() *tls.Config {
	return &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}

// Close ends the server and all its connections.
func (s *SMTP) Close() error {
	err := s.listener.Close()
	s.connMu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.connMu.Unlock()
	s.wg.Wait()
	return err
}

func selfSigned() (*tls.Config, *x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, pool, nil
}

func (s *SMTP) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.connMu.Lock()
		s.conns[conn] = true
		s.connMu.Unlock()
		s.wg.Go(func() {
			defer func() {
				_ = conn.Close()
				s.connMu.Lock()
				delete(s.conns, conn)
				s.connMu.Unlock()
			}()
			s.serve(conn)
		})
	}
}

// session is one connection.
type session struct {
	conn   net.Conn
	in     *bufio.Reader
	secure bool
	logged bool
	from   string
	to     string
}

func (c *session) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.conn, format+"\r\n", args...)
}

func (s *SMTP) serve(conn net.Conn) {
	s.mu.Lock()
	fault := s.strikes()
	s.mu.Unlock()
	c := &session{conn: conn, in: bufio.NewReader(conn)}
	if s.opts.TLS {
		c.encrypt(s.config)
	}
	switch fault {
	case Hang:
		_, _ = io.Copy(io.Discard, conn) // until the other side has had enough
		return
	case HTML:
		c.say("HTTP/1.1 400 Bad Request")
		return
	case Unavailable:
		c.say("421 down for maintenance")
		return
	}
	c.say("220 fake ESMTP")
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if !s.command(c, strings.ToUpper(verb), arg, fault) {
			return
		}
	}
}

func (c *session) encrypt(config *tls.Config) {
	secure := tls.Server(c.conn, config)
	c.conn, c.in, c.secure = secure, bufio.NewReader(secure), true
}

// command answers one, and reports whether the connection goes on.
func (s *SMTP) command(c *session, verb, arg string, fault Fault) bool {
	switch verb {
	case "EHLO", "HELO":
		c.say("250-fake")
		if s.opts.StartTLS && !c.secure {
			c.say("250-STARTTLS")
		}
		if s.opts.User != "" {
			c.say("250-AUTH PLAIN")
		}
		c.say("250 8BITMIME")
	case "STARTTLS":
		c.say("220 go on")
		c.encrypt(s.config)
	case "AUTH":
		want := base64.StdEncoding.EncodeToString([]byte("\x00" + s.opts.User + "\x00" + s.opts.Password))
		if c.logged = arg == "PLAIN "+want; !c.logged {
			c.say("535 5.7.8 no")
			return true
		}
		c.say("235 2.7.0 yes")
	case "MAIL":
		if s.opts.StartTLS && !c.secure || s.opts.User != "" && !c.logged {
			c.say("530 5.7.0 not like this")
			return true
		}
		c.from = arg
		c.say("250 ok")
	case "RCPT":
		c.to = strings.TrimSuffix(strings.TrimPrefix(strings.ToUpper(arg[:3])+arg[3:], "TO:<"), ">")
		if !contains(s.opts.Mailboxes, c.to) {
			c.say("550 5.1.1 <%s> is not known here", c.to)
			return true
		}
		c.say("250 ok")
	case "DATA":
		return s.data(c, fault)
	case "QUIT":
		c.say("221 bye")
		return false
	default:
		c.say("502 5.5.1 what?")
	}
	return true
}

func (s *SMTP) data(c *session, fault Fault) bool {
	s.mu.Lock()
	full := s.opts.PerMinute > 0 && s.within("letters", time.Minute) >= s.opts.PerMinute
	s.mu.Unlock()
	if full {
		c.say("451 4.7.1 too many letters, come back later")
		return true
	}
	c.say("354 go on")
	var raw strings.Builder
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		raw.WriteString(strings.TrimPrefix(line, "."))
	}
	g, err := readLetter(raw.String())
	if err != nil {
		c.say("554 5.6.0 %s", err)
		return true
	}
	s.mu.Lock()
	s.add("letters")
	g.To = c.to
	if s.sentWith(g.ID) == nil {
		s.take(g)
	}
	s.mu.Unlock()
	if fault == LoseAnswer {
		return false
	}
	c.say("250 2.0.0 taken")
	return true
}

// readLetter refuses what RFC 5322 does not allow: lines that are too long,
// bytes that are not ASCII in a header, a header that stands there twice.
func readLetter(raw string) (Got, error) {
	head, _, _ := strings.Cut(raw, "\r\n\r\n")
	for line := range strings.SplitSeq(raw, "\r\n") {
		if len(line) > 998 {
			return Got{}, errors.New("line too long")
		}
	}
	for _, b := range []byte(head) {
		if b >= 0x80 {
			return Got{}, errors.New("header is not ASCII")
		}
	}
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return Got{}, errors.New("no letter")
	}
	for name, values := range m.Header {
		if len(values) > 1 {
			return Got{}, fmt.Errorf("%s twice", name)
		}
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return Got{}, errors.New("subject")
	}
	body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, m.Body))
	if err != nil {
		return Got{}, errors.New("body is not base64")
	}
	if m.Header.Get("Message-ID") == "" || m.Header.Get("Date") == "" || m.Header.Get("From") == "" {
		return Got{}, errors.New("headers are missing")
	}
	return Got{ID: m.Header.Get("Message-ID"), VendorID: m.Header.Get("Message-ID"), Kind: subject, Text: strings.ReplaceAll(string(body), "\r\n", "\n")}, nil
}
