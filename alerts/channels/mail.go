package channels

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

// Ways of encrypting the connection to a mail server.
const (
	MailStartTLS = "starttls" // begin in plain, then encrypt: port 587
	MailTLS      = "tls"      // encrypted from the start: port 465
	MailPlain    = "none"     // never encrypted: a server on this machine
)

// MailSecurities are all of them.
var MailSecurities = []string{MailStartTLS, MailTLS, MailPlain}

// MailOptions are those of a mail server.
type MailOptions struct {
	Server         string // host:port
	Security       string // of MailSecurities
	User, Password string // "" is no login
	From           string // such as "微芒 <weimang@example.org>"
	TLS            *tls.Config
	Now            func() time.Time
}

// Mail sends by SMTP. A person's address is a mail address.
type Mail struct {
	opts MailOptions
	host string
	from mail.Address
}

// NewMail makes the channel.
func NewMail(o MailOptions) (*Mail, error) {
	host, _, err := net.SplitHostPort(o.Server)
	if err != nil || host == "" {
		return nil, errors.New("mail needs a server as host:port")
	}
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, errors.New("mail needs a sender such as weimang@example.org")
	}
	if o.User != "" && o.Security == MailPlain && !isLoopback(host) {
		return nil, errors.New("mail sends no password to another machine without encryption")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Mail{opts: o, host: host, from: *from}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send implements deliver.Channel.
func (c *Mail) Send(ctx context.Context, m alerts.Message) (deliver.Receipt, error) {
	to, err := mail.ParseAddress(m.Address)
	if err != nil || strings.IndexFunc(to.Address, notMail) >= 0 {
		return deliver.Receipt{}, deliver.Fail(deliver.BadAddress, "mail: the address is none")
	}
	id, letter := c.letter(m, to.Address)
	conn, err := c.dial(ctx)
	if err != nil {
		return deliver.Receipt{}, deliver.Later(deliver.Unreachable, "mail: %w", err)
	}
	defer func() { _ = conn.Close() }() // what matters has been said by then
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := c.talk(conn, to.Address, letter); err != nil {
		return deliver.Receipt{}, err
	}
	return deliver.Receipt{VendorID: id}, nil
}

// notMail reports whether a letter's head cannot hold r: few servers take
// addresses that are not ASCII.
func notMail(r rune) bool { return r <= ' ' || r > '~' }

func (c *Mail) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", c.opts.Server)
	if err != nil || c.opts.Security != MailTLS {
		return conn, err
	}
	secure := tls.Client(conn, c.tls())
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return secure, nil
}

func (c *Mail) tls() *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.opts.TLS != nil {
		cfg = c.opts.TLS.Clone()
	}
	cfg.ServerName = c.host
	return cfg
}

// talk hands a letter over. What the server says is not repeated: it likes to
// name the address.
func (c *Mail) talk(conn net.Conn, to string, letter []byte) error {
	client, err := smtp.NewClient(conn, c.host)
	if err != nil {
		return mailFailure("greeting", err)
	}
	if c.opts.Security == MailStartTLS {
		if ok, _ := client.Extension("STARTTLS"); !ok {
			return deliver.Fail(deliver.Auth, "mail: the server offers no encryption")
		}
		if err := client.StartTLS(c.tls()); err != nil {
			return deliver.Later(deliver.Unreachable, "mail: %w", err)
		}
	}
	if c.opts.User != "" {
		if err := client.Auth(smtp.PlainAuth("", c.opts.User, c.opts.Password, c.host)); err != nil {
			f := mailFailure("login", err)
			if !f.Retry {
				f.Reason = deliver.Auth
			}
			return f
		}
	}
	if err := client.Mail(c.from.Address); err != nil {
		return mailFailure("sender", err)
	}
	if err := client.Rcpt(to); err != nil {
		return mailFailure("recipient", err)
	}
	w, err := client.Data()
	if err != nil {
		return mailFailure("letter", err)
	}
	if _, err := w.Write(letter); err != nil {
		return mailFailure("letter", err)
	}
	if err := w.Close(); err != nil {
		return mailFailure("letter", err)
	}
	_ = client.Quit() // the letter is theirs already
	return nil
}

// mailFailure reads a reply code (RFC 5321, 4.2): 4yz may be better later, 5yz
// will be the same.
func mailFailure(at string, err error) *deliver.Failure {
	reply, ok := errors.AsType[*textproto.Error](err)
	if !ok {
		return deliver.Later(deliver.Unreachable, "mail: at the %s the connection failed", at)
	}
	reason := deliver.Refused
	switch reply.Code {
	case 421, 450, 451, 452, 454:
		reason = deliver.Vendor
	case 530, 534, 535, 538:
		reason = deliver.Auth
	case 501, 503, 504, 555:
		reason = deliver.Format
	case 550, 551, 553:
		if at == "recipient" {
			reason = deliver.BadAddress
		}
	}
	f := deliver.Fail(reason, "mail: the server answered %d at the %s", reply.Code, at)
	f.Retry = reply.Code >= 400 && reply.Code < 500
	return f
}

// letter is a message as RFC 5322 has it, with an id made of its identity, by
// which mail programs know a repeat. No header holds text as it came: a label
// with a line break would begin a header of its own.
func (c *Mail) letter(m alerts.Message, to string) (id string, letter []byte) {
	_, domain, _ := strings.Cut(c.from.Address, "@")
	id = "<" + ref(m) + "@" + domain + ">"
	subject := cutRunes(strings.Join(strings.Fields(tidy(m.Title)), " "), 100)
	headers := [][2]string{
		{"From", c.from.String()},
		{"To", (&mail.Address{Address: to}).String()},
		{"Subject", mime.BEncoding.Encode("utf-8", subject)},
		{"Date", c.opts.Now().Format(time.RFC1123Z)},
		{"Message-ID", id},
		{"Auto-Submitted", "auto-generated"}, // no out-of-office comes back
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "base64"},
	}
	var b strings.Builder
	for _, h := range headers {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	b.WriteString("\r\n")
	text := plainForm(100_000).write(m, false, m.Answers)
	encoded := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"))
	for len(encoded) > 76 {
		b.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	b.WriteString(encoded + "\r\n")
	return id, []byte(b.String())
}
