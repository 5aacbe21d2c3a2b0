package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// configKey is one setting: its place in the file, what it means, and the
// value it sets. File, environment and printed configuration all go by it.
type configKey struct {
	path string // "section.key", as in messages
	doc  string
	// value points into a Config: *string, *Secret, *bool, *int, *float64,
	// *time.Duration or *[]string.
	value any
}

// env is the variable that overrides the key.
func (k configKey) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.path, ".", "_"))
}

// configSections are the headings of the printed file.
var configSections = map[string]string{
	"kafka":            "Where records come from and go to.",
	"kafka.tls":        "Encryption. The brokers' certificates are always verified.",
	"kafka.sasl":       "Logging in with a password.",
	"feed":             "The rhythm of the readings, and what counts as late or absurd.",
	"roster":           "Which meter belongs to which household, and who answers for it.",
	"detect":           "How the detectors run. Their thresholds follow from the budgets.",
	"detect.budgets":   "What a site can bear.",
	"store":            "Where alerts and their outcomes are kept.",
	"alerts":           "How people are told.",
	"alerts.webhook":   "Posts each message as JSON to one address.",
	"alerts.heartbeat": "Tells a watcher outside that this site is alive and forgets nobody.",
	"alerts.fallback":  "Who hears what has nobody else to go to: a village without a chair.",
	"http":             "The page and /metrics.",
	"log":              "The log on standard error.",
}

// sectionHeading is the heading of a section, "" where there is none of that
// name.
func sectionHeading(path string) string {
	return cmp.Or(configSections[path], channelSections[path])
}

// configKeys lists all settings in the order in which they are printed.
func configKeys(c *Config) []configKey {
	keys := []configKey{
		{"data_dir", "Folder of the embedded broker's log and of the database.", &c.DataDir},
		{"clock", "wall: readings are judged by the time of day (live). feed: by the time of the readings themselves (a replayed file).", &c.Clock},

		{"kafka.brokers", "Addresses such as [kafka-1:9092, kafka-2:9092]. Empty: a broker runs inside this process.", &c.Kafka.Brokers},
		{"kafka.client_id", "Name by which the brokers know this process.", &c.Kafka.ClientID},
		{"kafka.partitions", "Partitions of topics that have to be made; existing topics stay as they are.", &c.Kafka.Partitions},
		{"kafka.addr", "Where the embedded broker listens. It knows no passwords: keep it on this machine.", &c.Kafka.Addr},
		{"kafka.prefix", "Put before the name of each topic and consumer group, for a cluster that others use too; senders need it as well.", &c.Kafka.Prefix},
		{"kafka.tls.enabled", "Speak TLS (1.2 or later) with kafka.brokers.", &c.Kafka.TLS.Enabled},
		{"kafka.tls.ca", "PEM file of the authorities that sign the brokers' certificates. Empty: those that the system trusts.", &c.Kafka.TLS.CA},
		{"kafka.tls.cert", "PEM file of this process's own certificate, where the brokers ask for one.", &c.Kafka.TLS.Cert},
		{"kafka.tls.key", "PEM file of its key, without a passphrase.", &c.Kafka.TLS.Key},
		{"kafka.tls.server_name", "Name in the brokers' certificates. Empty: the host by which each is reached.", &c.Kafka.TLS.ServerName},
		{"kafka.sasl.mechanism", "plain (only with TLS: it sends the password as it is), scram-sha-256 or scram-sha-512. Empty: no password.", &c.Kafka.SASL.Mechanism},
		{"kafka.sasl.user", "Name to log in with.", &c.Kafka.SASL.User},
		{"kafka.sasl.password", "Its password. file:/path reads it from a file.", &c.Kafka.SASL.Password},

		{"feed.usual_delay", "How long after its interval a reading usually arrives (yesterday by 08:00 is 32h).", &c.Feed.UsualDelay},
		{"feed.window", "How much later than that a reading still counts as if it had come in order, 24h to 168h.", &c.Feed.Window},
		{"feed.skew", "How far a meter's clock may run ahead.", &c.Feed.Skew},
		{"feed.max_kw", "Highest mean power in kW that a home's connection can carry; more is refused as absurd.", &c.Feed.MaxKW},

		{"roster.households", "CSV of meter_id,household_id,area_id,zone,village_id,label and, where something has a date, from,until. Empty: what the database and the roster topic know.", &c.Roster.Households},
		{"roster.people", "CSV of village_id,role,name,channel,address,language: who is told.", &c.Roster.People},
		{"roster.consent", "listed: whoever gives roster.households answers for the consent of all whom it names. recorded: only homes with recorded consent are watched.", &c.Roster.Consent},
		{"roster.open", "true: a meter that is not in the roster is a household of its own, instead of being counted and ignored.", &c.Roster.Open},
		{"roster.keep_unknown", "true: what such a meter sends goes to the dead letters for 14 days, to be replayed once it is in the roster. Not for a utility that sends the whole town.", &c.Roster.KeepUnknown},
		{"roster.allow_removal", "Let roster.households take more than half of the homes off. Otherwise such a list is refused: it may be cut short.", &c.Roster.AllowRemoval},
		{"roster.zone", "Time zone (IANA name) of homes for which the roster names none, and of dates in this file.", &c.Roster.Zone},

		{"detect.budgets.pushed", "False alarms per home and day that may leave the page: 0.02 is four messages a week for a chair of thirty homes.", &c.Detect.Budgets.Pushed},
		{"detect.budgets.visit", "Of them, those that ask somebody to go (red or orange): 0.005 is one a week for thirty homes.", &c.Detect.Budgets.Visit},
		{"detect.holidays", "Set of public holidays, on which people live as on a weekend: none, cn or gb.", &c.Detect.Holidays},
		{"detect.push_from", "Learn silently until this date or time: before it nothing leaves the page. Empty: push at once.", &c.Detect.PushFrom},
		{"detect.checkpoint_every", "Within what time what was learned is saved; a killed process repeats at most so much and a sixteenth.", &c.Detect.CheckpointEvery},
		{"detect.history", "Send each interval with its usual band to weimang.history, for the page.", &c.Detect.History},

		{"store.path", "The database file of SQLite. Empty: weimang.db in data_dir.", &c.Store.Path},
		{"store.url", "PostgreSQL instead: postgres://user:password@host:5432/database?sslmode=verify-full. Empty: SQLite. file:/path reads it from a file.", &c.Store.URL},
		{"store.key", "Keys that seal names, addresses and what people wrote: 32 bytes in base64 or hex, several parted by commas, of which the first seals. file:/path reads them from a file. Empty: they stand there in plain.", &c.Store.Key},

		{"alerts.language", "Language of messages to people for whom the roster names none: zh-CN or en.", &c.Alerts.Language},
		{"alerts.console", "Channel console: print messages to standard output.", &c.Alerts.Console},
		{"alerts.json", "Channel json: append messages as JSON lines to this file, - for standard output. Empty: off.", &c.Alerts.JSON},
		{"alerts.webhook.url", "Address to post to. Empty: off. file:/path reads it from a file.", &c.Alerts.Webhook.URL},
		{"alerts.webhook.secret", "Key that signs each request. Empty: unsigned. file:/path reads it from a file.", &c.Alerts.Webhook.Secret},
	}
	keys = append(keys, channelKeys(&c.Alerts)...)
	return append(keys, []configKey{
		{"alerts.fallback.channel", "Any channel that is open here.", &c.Alerts.Fallback.Channel},
		{"alerts.fallback.address", "What that channel needs to find the person; console, json, webhook and alertmanager need nothing. file:/path reads it from a file.", &c.Alerts.Fallback.Address},
		{"alerts.policies", "Who is called in what order and for how long: a file as weimang routes policies prints it, default, or immediate: the chair at once, and nobody is waited for. A replayed feed (clock: feed) is always immediate.", &c.Alerts.Policies},
		{"alerts.heartbeat.url", "Address outside that is called while no case is forgotten and delivery works, and that tells somebody when it is not. Empty: off. file:/path reads it from a file.", &c.Alerts.Heartbeat.URL},
		{"alerts.heartbeat.every", "How often.", &c.Alerts.Heartbeat.Every},

		{"http.addr", "Where the page and /metrics are served.", &c.HTTP.Addr},
		{"http.base_url", "How the people who get messages reach the page, for links. Empty: http:// and addr.", &c.HTTP.BaseURL},
		{"http.page", "Who may open the page of all homes: loopback, only who sits at this machine, or open, whoever reaches the address. What messages link to is open to its recipient in any case.", &c.HTTP.Page},

		{"log.level", "debug, info, warn or error.", &c.Log.Level},
		{"log.format", "text or json.", &c.Log.Format},
	}...)
}

// set reads a scalar from the file or the environment. The error says what
// the value must be.
func (k configKey) set(s string) error {
	switch v := k.value.(type) {
	case *string:
		*v = s
	case *Secret:
		*v = Secret(s)
	case *bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("%q must be true or false", s)
		}
		*v = b
	case *int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%q must be a whole number", s)
		}
		*v = n
	case *float64:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return fmt.Errorf("%q must be a number", s)
		}
		*v = f
	case *time.Duration:
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("%q must be a time with its unit, such as 30m or 96h", s)
		}
		*v = d
	case *[]string:
		return k.setList(strings.Split(s, ","))
	default:
		return fmt.Errorf("a setting of type %T cannot be read", v)
	}
	return nil
}

// setList sets a list; empty entries are dropped.
func (k configKey) setList(list []string) error {
	v, ok := k.value.(*[]string)
	if !ok {
		return fmt.Errorf("must be one value, not a list")
	}
	*v = nil
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" {
			*v = append(*v, s)
		}
	}
	return nil
}

// show is the value as the file would hold it, secrets masked.
func (k configKey) show() string {
	switch v := k.value.(type) {
	case *string:
		return yamlString(*v)
	case *Secret:
		return yamlString(v.String())
	case *bool:
		return strconv.FormatBool(*v)
	case *int:
		return strconv.Itoa(*v)
	case *float64:
		return strconv.FormatFloat(*v, 'g', -1, 64)
	case *time.Duration:
		return shortDuration(*v)
	case *[]string:
		quoted := make([]string, len(*v))
		for i, s := range *v {
			quoted[i] = strconv.Quote(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}

// yamlString leaves plain words plain and quotes everything else.
func yamlString(s string) string {
	plain := s != ""
	for i, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		plain = plain && (letter || i > 0 && ('0' <= r && r <= '9' || strings.ContainsRune("-_./", r)))
	}
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n":
		plain = false
	}
	if plain {
		return s
	}
	return strconv.Quote(s)
}

// shortDuration writes 96h, not 96h0m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
