package channels_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/channels"
	"weimang/alerts/channels/vendortest"
	"weimang/alerts/deliver"
)

const mailbox = "wang@example.org"

// post starts a mail server and a channel that sends to it.
func post(t *testing.T, o vendortest.SMTPOptions, change func(*channels.MailOptions)) (*vendortest.SMTP, *channels.Mail) {
	t.Helper()
	if o.Mailboxes == nil {
		o.Mailboxes = []string{mailbox}
	}
	srv, err := vendortest.NewSMTP(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	mine := channels.MailOptions{
		Server: srv.Addr(), Security: channels.MailPlain, User: o.User, Password: o.Password, From: "微芒 <weimang@example.org>",
		TLS: srv.ClientTLS(), Now: func() time.Time { return noon },
	}
	switch {
	case o.StartTLS:
		mine.Security = channels.MailStartTLS
	case o.TLS:
		mine.Security = channels.MailTLS
	}
	if change != nil {
		change(&mine)
	}
	c, err := channels.NewMail(mine)
	if err != nil {
		t.Fatal(err)
	}
	return srv, c
}

func letter() alerts.Message {
	m := message()
	m.Address = mailbox
	return m
}

func TestALetterArrivesOverEachKindOfConnection(t *testing.T) {
	for name, o := range map[string]vendortest.SMTPOptions{
		"plain":    {},
		"starttls": {StartTLS: true, User: "weimang", Password: "pass word"},
		"tls":      {TLS: true, User: "weimang", Password: "pass word"},
	} {
		srv, c := post(t, o, nil)
		m := letter()
		m.Answers = answers()[1:2]
		receipt, err := c.Send(t.Context(), m)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := srv.Got()[0]
		want := "第一行\n第二行\n平安: https://weimang.example/a/2\n详情: http://x/household/h1\n"
		if got.To != mailbox || got.Kind != m.Title || got.Text != want || receipt.VendorID != got.ID {
			t.Errorf("%s: %+v, receipt %+v", name, got, receipt)
		}
	}
}

// A label with a line break must not begin a header, nor a second letter.
func TestNoTextBecomesAHeader(t *testing.T) {
	srv, c := post(t, vendortest.SMTPOptions{}, nil)
	m := letter()
	m.Title = "3组\r\nBcc: evil@example.org\r\n\r\n.\r\nMAIL FROM:<x>" + strings.Repeat("长", 300)
	m.Text = "a\r\n.\r\nQUIT\r\n"
	if _, err := c.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := srv.Got()[0]
	if !strings.HasPrefix(got.Kind, "3组Bcc: evil@example.org") && !strings.HasPrefix(got.Kind, "3组 Bcc: evil@example.org") || strings.ContainsAny(got.Kind, "\r\n") {
		t.Errorf("subject %q", got.Kind)
	}
	if len(srv.Got()) != 1 || !strings.HasPrefix(got.Text, "a\n.\nQUIT") {
		t.Errorf("letters: %+v", srv.Got())
	}
	for _, bad := range []string{"", "wang", "wang@example.org\r\nRCPT TO:<evil@example.org>", "a@b, c@d", "王@example.org", `"a b"@example.org`} {
		m := letter()
		m.Address = bad
		_, err := c.Send(t.Context(), m)
		if f := failed(t, err); f.Reason != deliver.BadAddress || f.Retry {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestMailFailures(t *testing.T) {
	for _, tc := range []struct {
		name   string
		server vendortest.SMTPOptions
		fault  vendortest.Fault
		change func(*channels.MailOptions)
		to     string
		reason deliver.Reason
		retry  bool
	}{
		{name: "no such mailbox", to: "nobody@example.org", reason: deliver.BadAddress},
		{name: "wrong password", server: vendortest.SMTPOptions{TLS: true, User: "u", Password: "p"}, change: func(o *channels.MailOptions) { o.Password = "q" }, reason: deliver.Auth},
		{name: "no encryption offered", change: func(o *channels.MailOptions) { o.Security = channels.MailStartTLS }, reason: deliver.Auth},
		{name: "not trusted", server: vendortest.SMTPOptions{TLS: true}, change: func(o *channels.MailOptions) { o.TLS = nil }, reason: deliver.Unreachable, retry: true},
		{name: "down", fault: vendortest.Unavailable, reason: deliver.Vendor, retry: true},
		{name: "no mail server", fault: vendortest.HTML, reason: deliver.Unreachable, retry: true},
		{name: "hangs", fault: vendortest.Hang, reason: deliver.Unreachable, retry: true},
		{name: "answer lost", fault: vendortest.LoseAnswer, reason: deliver.Unreachable, retry: true},
	} {
		srv, c := post(t, tc.server, tc.change)
		srv.Break(tc.fault, -1)
		m := letter()
		if tc.to != "" {
			m.Address = tc.to
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if tc.fault == vendortest.Hang {
			ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
		}
		_, err := c.Send(ctx, m)
		cancel()
		f := failed(t, err)
		if f.Reason != tc.reason || f.Retry != tc.retry || strings.Contains(err.Error(), m.Address) {
			t.Errorf("%s: %s, retry %v: %v", tc.name, f.Reason, f.Retry, err)
		}
	}
}

func TestAServerThatWantsNoMoreLettersIsTriedAgain(t *testing.T) {
	_, c := post(t, vendortest.SMTPOptions{PerMinute: 1}, nil)
	if _, err := c.Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	m := letter()
	m.ID = "another"
	_, err := c.Send(t.Context(), m)
	if f := failed(t, err); f.Reason != deliver.Vendor || !f.Retry {
		t.Errorf("%v", err)
	}
}

func TestALetterWhoseAnswerWasLostIsShownOnce(t *testing.T) {
	srv, c := post(t, vendortest.SMTPOptions{}, nil)
	srv.Break(vendortest.LoseAnswer, 1)
	if _, err := c.Send(t.Context(), letter()); err == nil {
		t.Fatal("the answer was not lost")
	}
	if _, err := c.Send(t.Context(), letter()); err != nil || len(srv.Got()) != 1 {
		t.Errorf("%d letters, %v", len(srv.Got()), err)
	}
}

func TestMailNeedsAServerAndASender(t *testing.T) {
	good := channels.MailOptions{Server: "127.0.0.1:25", From: "a@b.example", Security: channels.MailPlain}
	for name, change := range map[string]func(*channels.MailOptions){
		"no port":               func(o *channels.MailOptions) { o.Server = "127.0.0.1" },
		"no sender":             func(o *channels.MailOptions) { o.From = "weimang" },
		"a password in the air": func(o *channels.MailOptions) { o.Server, o.User, o.Password = "mail.example.org:25", "u", "p" },
	} {
		o := good
		change(&o)
		if _, err := channels.NewMail(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := channels.NewMail(good); err != nil {
		t.Error(err)
	}
}
