package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"weimang/alerts/channels"
	"weimang/alerts/store"
	"weimang/detectors"
	"weimang/ingest/calendar"
	"weimang/ingest/contract"
)

// Config is everything a site may set. configKeys names and explains each
// value; DefaultConfig is complete, a file and the environment change parts.
type Config struct {
	DataDir string
	Clock   string // clockWall or clockFeed

	Kafka  KafkaConfig
	Feed   FeedConfig
	Roster RosterConfig
	Detect DetectConfig
	Store  StoreConfig
	Alerts AlertsConfig
	HTTP   HTTPConfig
	Log    LogConfig
}

// Clocks of a run.
const (
	clockWall = "wall"
	clockFeed = "feed"
)

// KafkaConfig says where the broker is; without Brokers it is in the process.
type KafkaConfig struct {
	Brokers    []string
	ClientID   string
	Partitions int
	Addr       string // of the embedded broker
	Prefix     string // of the names of topics and groups
	TLS        KafkaTLSConfig
	SASL       KafkaSASLConfig
}

// KafkaTLSConfig is how the brokers and this process know each other.
type KafkaTLSConfig struct {
	Enabled bool
	// Paths of PEM files, and a name; see stream.TLSFiles. "" is the default.
	CA, Cert, Key string
	ServerName    string
}

// KafkaSASLConfig is how this process logs in; it does not without Mechanism.
type KafkaSASLConfig struct {
	Mechanism string // of stream.Mechanisms
	User      string
	Password  Secret
}

// FeedConfig is the rhythm and the bounds of the readings.
type FeedConfig struct {
	UsualDelay time.Duration
	Window     time.Duration
	Skew       time.Duration
	MaxKW      float64
}

// RosterConfig says who lives behind which meter.
type RosterConfig struct {
	Households string // path; "" is none
	People     string // path; "" is none
	Open       bool
	// KeepUnknown: see intake.Options.
	KeepUnknown bool
	// AllowRemoval lets a list of homes take most of them off; see tooShort.
	AllowRemoval bool
	Zone         string // IANA name
	// Consent is what the list of homes says of it: consentListed or
	// consentRecorded.
	Consent string
}

// What a list of homes says of consent.
const (
	consentListed   = "listed"   // all whom it names have given it, where nothing else is recorded
	consentRecorded = "recorded" // nothing: a home without a record is not watched
)

// DetectConfig concerns the running of the detectors. Their thresholds are
// not a site's to set: they follow from the budgets.
type DetectConfig struct {
	Budgets         detectors.Budgets
	Holidays        string // of calendar.Names
	PushFrom        string // date or RFC 3339; "" is at once, see Config.PushFrom
	CheckpointEvery time.Duration
	History         bool
}

// StoreConfig says where alerts are kept.
type StoreConfig struct {
	Path string // "": see Config.StorePath
	URL  Secret // of PostgreSQL; "": SQLite at Path
	Key  Secret // as store.ParseKeys reads it; "" is none
}

// AlertsConfig says how people are told.
type AlertsConfig struct {
	Language string
	Console  bool
	JSON     string // path, "-" for standard output, "" for none
	Webhook  WebhookConfig

	WeCom        RobotConfig
	WeComApp     WeComAppConfig
	DingTalk     RobotConfig
	Feishu       RobotConfig
	SMS          SMSConfig
	Voice        VoiceConfig
	Mail         MailConfig
	Alertmanager AlertmanagerConfig
	Callbacks    CallbacksConfig
	Limits       LimitsConfig

	Fallback FallbackConfig
	// Policies is a path, or one of the words below.
	Policies  string
	Heartbeat HeartbeatConfig
}

// Policies that come with the program.
const (
	policiesDefault   = "default"
	policiesImmediate = "immediate"
)

// HeartbeatConfig is an address outside that misses the site when it is silent.
type HeartbeatConfig struct {
	URL   Secret // "" is none
	Every time.Duration
}

// WebhookConfig is the generic webhook; it is off without a URL.
type WebhookConfig struct {
	URL    Secret // its path or query often holds the key
	Secret Secret
}

// FallbackConfig is who hears what has nobody else to go to.
type FallbackConfig struct {
	Channel string
	Address Secret // of a robot it is the key
}

// Values of http.page.
const (
	pageLoopback = "loopback"
	pageOpen     = "open"
)

// HTTPConfig is the page and the metrics.
type HTTPConfig struct {
	Addr    string
	BaseURL string // "": see Config.BaseURL
	Page    string // who is shown all homes: pageLoopback or pageOpen
}

// LogConfig is the log on standard error.
type LogConfig struct {
	Level  string
	Format string
}

// DefaultConfig is a system on one machine that needs nothing else.
func DefaultConfig() *Config {
	limits := contract.DefaultLimits()
	return &Config{
		DataDir: "weimang-data",
		Clock:   clockWall,
		Kafka:   KafkaConfig{ClientID: "weimang", Partitions: 4, Addr: "127.0.0.1:19092"},
		Feed:    FeedConfig{UsualDelay: limits.UsualDelay, Window: limits.Window, Skew: limits.Skew, MaxKW: limits.MaxKW},
		Roster:  RosterConfig{Zone: "Asia/Shanghai", Consent: consentListed},
		Detect:  DetectConfig{Budgets: detectors.DefaultBudgets, Holidays: "cn", CheckpointEvery: 2 * time.Minute, History: true},
		Alerts: AlertsConfig{
			Language: "zh-CN",
			Console:  true,
			Voice:    VoiceConfig{PlayTimes: 2},
			Mail:     MailConfig{Security: channels.MailStartTLS},
			Fallback: FallbackConfig{Channel: channels.NameConsole},
			Policies: policiesDefault, Heartbeat: HeartbeatConfig{Every: time.Minute},
		},
		HTTP: HTTPConfig{Addr: "127.0.0.1:8080", Page: pageLoopback},
		Log:  LogConfig{Level: "info", Format: "text"},
	}
}

// Limits are the bounds of the wire contract.
func (c *Config) Limits() contract.Limits {
	return contract.Limits{MaxKW: c.Feed.MaxKW, Skew: c.Feed.Skew, UsualDelay: c.Feed.UsualDelay, Window: c.Feed.Window}
}

// Params are the detectors' parameters. They agree with Limits on what is
// late; c must be valid.
func (c *Config) Params() detectors.Params {
	p := detectors.DefaultParams()
	p.UsualDelay, p.Window, p.Skew, p.MaxKW = c.Feed.UsualDelay, c.Feed.Window, c.Feed.Skew, c.Feed.MaxKW
	p.PushFrom, _ = c.PushFrom()
	p.Budgets = c.Detect.Budgets
	p.Holidays, _ = calendar.Lookup(c.Detect.Holidays)
	return p
}

// PushFrom is since when findings may be pushed, zero for at once. A date is
// the begin of that day in the roster's zone.
func (c *Config) PushFrom() (time.Time, error) {
	loc, err := loadZone(c.Roster.Zone)
	if err != nil {
		return time.Time{}, err
	}
	return parseMoment(c.Detect.PushFrom, loc)
}

// BrokerDir is where the embedded broker keeps its log.
func (c *Config) BrokerDir() string { return filepath.Join(c.DataDir, "broker") }

// StorePath is the database file.
func (c *Config) StorePath() string {
	if c.Store.Path != "" {
		return c.Store.Path
	}
	return filepath.Join(c.DataDir, "weimang.db")
}

// StoreOptions are what says where the store is.
func (c *Config) StoreOptions() store.Options {
	keys, _ := store.ParseKeys(c.Store.Key.Reveal()) // validated
	return store.Options{URL: c.Store.URL.Reveal(), Path: c.StorePath(), Keys: keys}
}

// BaseURL is the address of the page in links, without a slash at the end.
func (c *Config) BaseURL() string {
	if c.HTTP.BaseURL != "" {
		return strings.TrimRight(c.HTTP.BaseURL, "/")
	}
	return "http://" + c.HTTP.Addr
}

// Embedded reports whether the broker runs in this process.
func (c *Config) Embedded() bool { return len(c.Kafka.Brokers) == 0 }

// Secret is a value that is used but never shown.
type Secret string

const masked = "***"

// Reveal is the value itself.
func (s Secret) Reveal() string { return string(s) }

// String masks the value wherever it is printed or logged.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString masks the value in %#v.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// MarshalText masks the value in JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// parseMoment reads a date or an RFC 3339 time; "" is the zero time.
func parseMoment(s string, loc *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, loc); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a date such as 2026-07-01 nor a time with offset such as 2026-07-01T08:00:00+08:00", s)
	}
	return t, nil
}

// loadZone loads a zone by its IANA name; "" is UTC. "Local" would mean
// another zone on every machine.
func loadZone(name string) (*time.Location, error) {
	if name != "Local" {
		if loc, err := time.LoadLocation(name); err == nil {
			return loc, nil
		}
	}
	return nil, fmt.Errorf("%q is not a zone; use an IANA name such as Asia/Shanghai", name)
}
