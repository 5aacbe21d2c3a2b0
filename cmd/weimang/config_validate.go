package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"weimang/alerts/channels"
	"weimang/alerts/store"
	"weimang/ingest/calendar"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// configProblem is a value that cannot be used.
type configProblem struct {
	key, text string
}

func (p *configProblem) Error() string { return p.key + ": " + p.text }

// Validate explains everything that is wrong: key, value and remedy.
func (c *Config) Validate() error {
	var errs []error
	for _, p := range c.problems() {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

func (c *Config) problems() []*configProblem {
	var ps problems
	ps.check(c.DataDir != "", "data_dir", "is empty; name a folder that this user may write to")
	ps.oneOf("clock", c.Clock, clockWall, clockFeed)
	c.Kafka.problems(&ps)
	c.Feed.problems(&ps)
	if _, err := loadZone(c.Roster.Zone); err != nil {
		ps.add("roster.zone", "%v", err)
	}
	ps.oneOf("roster.consent", c.Roster.Consent, consentListed, consentRecorded)
	if _, err := store.ParseKeys(c.Store.Key.Reveal()); err != nil {
		ps.add("store.key", "%v", err)
	}
	if _, err := parseMoment(c.Detect.PushFrom, time.UTC); err != nil {
		ps.add("detect.push_from", "%v", err)
	}
	b := c.Detect.Budgets
	ps.check(b.Pushed > 0 && b.Pushed <= 1, "detect.budgets.pushed", "%g must lie between 0 and 1 per home and day", b.Pushed)
	ps.check(b.Visit > 0 && b.Visit <= b.Pushed, "detect.budgets.visit", "%g must be more than 0 and no more than detect.budgets.pushed (%g)", b.Visit, b.Pushed)
	ps.oneOf("detect.holidays", c.Detect.Holidays, calendar.Names()...)
	ps.within("detect.checkpoint_every", c.Detect.CheckpointEvery, time.Second, time.Hour)
	c.Store.problems(&ps)
	c.Alerts.problems(&ps)
	ps.address("http.addr", c.HTTP.Addr)
	if c.HTTP.BaseURL != "" {
		ps.url("http.base_url", c.HTTP.BaseURL, c.HTTP.BaseURL)
	}
	ps.oneOf("http.page", c.HTTP.Page, pageLoopback, pageOpen)
	ps.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	ps.oneOf("log.format", c.Log.Format, "text", "json")
	if len(ps) == 0 {
		// The detectors have the last word on what they are given.
		if err := c.Params().Validate(); err != nil {
			ps.add("feed", "%v", err)
		}
	}
	return ps
}

func (k *KafkaConfig) problems(ps *problems) {
	for _, broker := range k.Brokers {
		ps.address("kafka.brokers", broker)
	}
	ps.check(k.ClientID != "", "kafka.client_id", "is empty; any word will do")
	ps.check(k.Partitions >= 1 && k.Partitions <= 10_000, "kafka.partitions", "%d must lie between 1 and 10000", k.Partitions)
	ps.check(strings.IndexFunc(k.Prefix, notInTopic) < 0 && len(k.Prefix) <= 100, "kafka.prefix",
		"%q must be at most 100 letters, digits, dots, hyphens and underscores", k.Prefix)
	if len(k.Brokers) == 0 {
		ps.address("kafka.addr", k.Addr)
		const remedy = "the broker in this process has neither TLS nor passwords; name kafka.brokers"
		ps.check(!k.TLS.Enabled, "kafka.tls.enabled", remedy)
		ps.check(k.SASL.Mechanism == "", "kafka.sasl.mechanism", remedy)
	}
	k.TLS.problems(ps)
	k.SASL.problems(ps)
}

// notInTopic reports whether Kafka does not allow r in the name of a topic.
func notInTopic(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && !strings.ContainsRune("._-", r)
}

func (t *KafkaTLSConfig) problems(ps *problems) {
	values := []struct{ key, value string }{
		{"kafka.tls.ca", t.CA},
		{"kafka.tls.cert", t.Cert},
		{"kafka.tls.key", t.Key},
		{"kafka.tls.server_name", t.ServerName},
	}
	if !t.Enabled {
		for _, v := range values {
			ps.check(v.value == "", v.key, "has no effect without kafka.tls.enabled; set that to true")
		}
		return
	}
	// One after the other, so that it is said which one is wrong.
	if _, err := (stream.TLSFiles{CA: t.CA}).Config(); err != nil {
		ps.add("kafka.tls.ca", "%v", err)
	}
	switch {
	case t.Cert != "" && t.Key == "":
		ps.add("kafka.tls.cert", "is of no use without kafka.tls.key; set that too")
		return
	case t.Key != "" && t.Cert == "":
		ps.add("kafka.tls.key", "is of no use without kafka.tls.cert; set that too")
		return
	}
	if _, err := (stream.TLSFiles{Cert: t.Cert, Key: t.Key}).Config(); err != nil {
		ps.add("kafka.tls.cert", "%v", err)
	}
}

func (s *KafkaSASLConfig) problems(ps *problems) {
	if s.Mechanism == "" {
		ps.check(s.User == "", "kafka.sasl.user", "has no effect without kafka.sasl.mechanism; set that too")
		ps.check(s.Password == "", "kafka.sasl.password", "has no effect without kafka.sasl.mechanism; set that too")
		return
	}
	if !ps.oneOf("kafka.sasl.mechanism", s.Mechanism, stream.Mechanisms...) {
		return
	}
	ps.check(s.User != "", "kafka.sasl.user", "is empty, and kafka.sasl.mechanism needs one")
	ps.check(s.Password != "", "kafka.sasl.password", "is empty, and kafka.sasl.mechanism needs one")
	if s.User == "" || s.Password == "" {
		return
	}
	// SCRAM does not take every character.
	if _, err := stream.SASL(s.Mechanism, s.User, s.Password.Reveal()); err != nil {
		ps.add("kafka.sasl.password", "user or password cannot be used with %s: %v", s.Mechanism, err)
	}
}

func (f *FeedConfig) problems(ps *problems) {
	ps.within("feed.usual_delay", f.UsualDelay, 0, contract.LongestUsualDelay)
	ps.within("feed.window", f.Window, 24*time.Hour, 168*time.Hour)
	ps.within("feed.skew", f.Skew, 0, 2*time.Hour)
	ps.check(f.MaxKW >= 1 && f.MaxKW <= 1000, "feed.max_kw", "%g must lie between 1 and 1000 kW", f.MaxKW)
}

func (s *StoreConfig) problems(ps *problems) {
	if s.URL == "" {
		return
	}
	if err := store.CheckURL(s.URL.Reveal()); err != nil {
		ps.add("store.url", "%v", err)
	}
	ps.check(s.Path == "", "store.path", "has no effect beside store.url; set one of them")
}

func (a *AlertsConfig) problems(ps *problems) {
	ps.oneOf("alerts.language", a.Language, "zh-CN", "en")
	if u := a.Webhook.URL.Reveal(); u != "" {
		ps.url("alerts.webhook.url", u, a.Webhook.URL.String())
	}
	if _, err := a.policies(); err != nil {
		ps.add("alerts.policies", "%v", err)
	}
	if u := a.Heartbeat.URL.Reveal(); u != "" {
		ps.url("alerts.heartbeat.url", u, a.Heartbeat.URL.String())
	}
	ps.within("alerts.heartbeat.every", a.Heartbeat.Every, 10*time.Second, time.Hour)
	ps.check(a.Webhook.Secret == "" || a.Webhook.URL != "", "alerts.webhook.secret", "signs nothing without alerts.webhook.url; set that too")
	a.channelProblems(ps)
	a.Fallback.problems(ps, a)
}

// problems says where messages without a recipient would be lost.
func (f *FallbackConfig) problems(ps *problems, a *AlertsConfig) {
	if !ps.oneOf("alerts.fallback.channel", f.Channel, channels.Names...) {
		return
	}
	opens := map[string]string{channels.NameConsole: "alerts.console", channels.NameJSON: "alerts.json"}
	for _, o := range a.openers() {
		opens[o.name] = o.key
		if o.name == f.Channel && o.person {
			ps.check(f.Address != "", "alerts.fallback.address", "is empty, and %s needs to know whom to reach", f.Channel)
		}
	}
	ps.check(a.open(f.Channel), "alerts.fallback.channel", "%s is off, so messages without a recipient would be lost; set %s or choose another channel",
		f.Channel, opens[f.Channel])
}

// open reports whether a channel exists under this configuration.
func (a *AlertsConfig) open(channel string) bool {
	switch channel {
	case channels.NameConsole:
		return a.Console
	case channels.NameJSON:
		return a.JSON != ""
	}
	return slices.ContainsFunc(a.openers(), func(o opener) bool { return o.name == channel && o.wanted })
}

// openChannels lists the channels that exist under this configuration.
func (a *AlertsConfig) openChannels() (list []string) {
	for _, c := range channels.Names {
		if a.open(c) {
			list = append(list, c)
		}
	}
	return list
}

// problems collects what is wrong.
type problems []*configProblem

func (ps *problems) add(key, format string, args ...any) {
	*ps = append(*ps, &configProblem{key, fmt.Sprintf(format, args...)})
}

func (ps *problems) check(ok bool, key, format string, args ...any) {
	if !ok {
		ps.add(key, format, args...)
	}
}

func (ps *problems) oneOf(key, value string, allowed ...string) bool {
	ok := slices.Contains(allowed, value)
	ps.check(ok, key, "%q must be %s", value, strings.Join(allowed, " or "))
	return ok
}

func (ps *problems) within(key string, d, least, most time.Duration) {
	ps.check(d >= least && d <= most, key, "%s must lie between %s and %s", shortDuration(d), shortDuration(least), shortDuration(most))
}

// address wants host:port; the host may be empty for all interfaces.
func (ps *problems) address(key, addr string) {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	ps.check(err == nil, key, "%q must be host:port, such as 127.0.0.1:9092", addr)
}

// url wants an absolute http address; shown stands for it in the message.
func (ps *problems) url(key, raw, shown string) {
	u, err := url.Parse(raw)
	ok := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
	ps.check(ok, key, "%q must be a whole address that begins with http:// or https://", shown)
}
