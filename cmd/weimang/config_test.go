package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"weimang/alerts/channels"
	"weimang/alerts/deliver"
)

func TestThePrintedDefaultsLoadToTheDefaults(t *testing.T) {
	r := weimang(t, "", "config")
	r.want(t, exitOK)
	file := filepath.Join(t.TempDir(), "weimang.yaml")
	if err := os.WriteFile(file, []byte(r.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := LoadConfig(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := DefaultConfig(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	// Each value has its explanation above it.
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	for i, line := range lines {
		if strings.TrimSpace(line) != "" && !strings.Contains(line, "#") && !strings.Contains(lines[i-1], "# ") {
			t.Errorf("line %d is not explained: %s", i+1, line)
		}
	}
}

func TestEveryFieldOfConfigIsAKey(t *testing.T) {
	c := DefaultConfig()
	keyed := make(map[any]bool)
	for _, k := range configKeys(c) {
		keyed[k.value] = true
		if section, _, nested := strings.Cut(k.path, "."); nested && configSections[section] == "" {
			t.Errorf("%s: its section has no heading", k.path)
		}
		if k.doc == "" {
			t.Errorf("%s: is not explained", k.path)
		}
	}
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		if v.Kind() == reflect.Struct {
			for i := range v.NumField() {
				walk(v.Field(i), path+"."+v.Type().Field(i).Name)
			}
			return
		}
		if !keyed[v.Addr().Interface()] {
			t.Errorf("Config%s cannot be set: configKeys has no key for it", path)
		}
	}
	walk(reflect.ValueOf(c).Elem(), "")
}

func TestAFileChangesWhatItNames(t *testing.T) {
	c, err := LoadConfig(example("config-good.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.Kafka.Brokers = []string{"kafka-1:9092", "kafka-2:9092"}
	want.Feed.UsualDelay = 32 * time.Hour
	want.Detect.PushFrom = "2026-07-01"
	want.Alerts.Language = "en"
	want.Alerts.Webhook.URL = "https://example.org/hook?key=abc"
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
	if c.Embedded() {
		t.Error("brokers are named, and the embedded one would start")
	}
	// A date means the day in the village.
	if got := c.Params().PushFrom.UTC(); !got.Equal(time.Date(2026, 6, 30, 16, 0, 0, 0, time.UTC)) {
		t.Errorf("push from %s", got)
	}
	if p, l := c.Params(), c.Limits(); p.UsualDelay != l.UsualDelay || p.UsualDelay != 32*time.Hour || p.Window != l.Window || p.Skew != l.Skew || p.MaxKW != l.MaxKW {
		t.Errorf("detectors and contract disagree on what is late: %+v, %+v", p, l)
	}
}

func TestAFileWithoutAnythingIsTheDefault(t *testing.T) {
	for _, text := range []string{"", "# only words\n", "kafka:\n", "kafka:\n  brokers:\n", "---\n"} {
		c, err := loadText(t, text)
		if err != nil || !reflect.DeepEqual(c, DefaultConfig()) {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
}

// Every channel that a configuration names is opened, with the limits that it
// sets, and the vendors' where it sets none.
func TestAConfigurationOpensWhatItNames(t *testing.T) {
	r := weimang(t, "", "check", "config", example("config-good-channels.yaml"))
	r.want(t, exitOK)
	c, err := LoadConfig(example("config-good-channels.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Alerts.JSON = filepath.Join(t.TempDir(), "messages.jsonl")
	c.Alerts.Webhook.URL = "https://example.org/hook"
	open, closeAll, err := openChannels(c, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := closeAll(); err != nil {
		t.Error(err)
	}
	for _, name := range channels.Names {
		if open[name] == nil || !c.Alerts.open(name) {
			t.Errorf("%s is not open", name)
		}
	}
	limits := c.Alerts.limits()
	for name, want := range map[string]string{
		"sms": "1/30s,30/24h", "mail": "all:100/1m", "webhook": "none", "wecom": "20/1m", "dingtalk": "20/1m", "wecom-app": "30/1m,1000/1h",
		"feishu": "5/1s,100/1m", "voice": "1/1m,5/1h,20/24h",
	} {
		if got := deliver.FormatLimits(limits[name]); got != want {
			t.Errorf("%s may send %s, want %s", name, got, want)
		}
	}
	if got := DefaultConfig().Alerts; len(got.openers()) != len(channels.Names)-2 || got.open("wecom") || got.open("pigeon") {
		t.Error("by default more is open than the console")
	}
}

func TestKeysOfChannelsAreNeverShown(t *testing.T) {
	r := weimang(t, "", "config", "--file", example("config-good-channels.yaml"))
	r.want(t, exitOK)
	for _, secret := range []string{"the-secret", "QDG6eK", "jWmYm7", "AKID0123", "LTAI0123", "the-key", "the-password", "0123456789abcdefghij", "robot-0123", "alertmanager.example.org"} {
		if strings.Contains(r.stdout, secret) {
			t.Errorf("%s is shown", secret)
		}
	}
}

func loadText(t *testing.T, text string, environ ...string) (*Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("w.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return LoadConfig("w.yaml", environ)
}

func TestMistakesInTheFileAreToldWithPlaceAndRemedy(t *testing.T) {
	for _, c := range []struct{ file, says string }{
		{"config-bad-unknown-key.yaml", ":3:3: unknown key kafka.brokrs; did you mean kafka.brokers?"},
		{"config-bad-key-in-wrong-section.yaml", ":3:1: unknown key window; did you mean feed.window?"},
		{"config-bad-key-twice.yaml", ":3:3: "},
		{"config-bad-not-yaml.yaml", ":3:1: not YAML"},
		{"config-bad-types.yaml", `:2:15: kafka.partitions: "four" must be a whole number`},
		{"config-bad-types.yaml", `:4:16: feed.usual_delay: "30" must be a time with its unit, such as 30m or 96h`},
		{"config-bad-types.yaml", `:6:12: alerts.console: "maybe" must be true or false`},
		{"config-bad-types.yaml", ":7:12: alerts.webhook must be a section of keys"},
		{"config-bad-types.yaml", ":8:13: alerts.language: must be one value, not a list"},
		{"config-bad-types.yaml", ":9:14: log.level: must be one value"},
		{"config-bad-values.yaml", `:1:1: clock: "sun" must be wall or feed`},
		{"config-bad-values.yaml", `:3:3: kafka.brokers: "kafka-1" must be host:port`},
		{"config-bad-values.yaml", ":5:3: kafka.partitions: 0 must lie between 1 and 10000"},
		{"config-bad-values.yaml", ":7:3: feed.window: 12h must lie between 24h and 168h"},
		{"config-bad-values.yaml", `:9:3: roster.zone: "Ningbo" is not a zone; use an IANA name`},
		{"config-bad-values.yaml", `:11:3: detect.push_from: "July" is neither a date such as`},
		{"config-bad-kafka-security.yaml", `:4:3: kafka.prefix: "village wandi" must be at most 100 letters`},
		{"config-bad-kafka-security.yaml", ":8:5: kafka.tls.cert: is of no use without kafka.tls.key; set that too"},
		{"config-bad-kafka-security.yaml", ":7:5: kafka.tls.ca: open absent.pem: no such file"},
		{"config-bad-kafka-security.yaml", `:10:5: kafka.sasl.mechanism: "gssapi" must be plain or scram-sha-256 or scram-sha-512`},
		{"config-bad-kafka-security-without-effect.yaml", ":5:5: kafka.tls.server_name: has no effect without kafka.tls.enabled"},
		{"config-bad-kafka-security-without-effect.yaml", ":7:5: kafka.sasl.user: has no effect without kafka.sasl.mechanism"},
		{"config-bad-kafka-security-without-effect.yaml", ":8:5: kafka.sasl.password: has no effect without kafka.sasl.mechanism"},
		{"config-bad-kafka-security-of-the-embedded-broker.yaml", ":4:5: kafka.tls.enabled: the broker in this process has neither TLS nor passwords; name kafka.brokers"},
		{"config-bad-kafka-security-of-the-embedded-broker.yaml", ":6:5: kafka.sasl.mechanism: the broker in this process"},
		{"config-bad-values.yaml", "alerts.fallback.channel: console is off"},
		{"config-bad-channels.yaml", `:5:5: alerts.wecom.url: "qyapi.weixin.qq.com" must be a whole address`},
		{"config-bad-channels.yaml", "alerts.wecom_app.agent_id: is missing; the application's page shows it"},
		{"config-bad-channels.yaml", "alerts.wecom_app.secret: is missing"},
		{"config-bad-channels.yaml", ":8:5: alerts.wecom_app.token: and alerts.wecom_app.aes_key go together"},
		{"config-bad-channels.yaml", `:14:5: alerts.sms.templates: "alert" must be a name and the vendor's code`},
		{"config-bad-channels.yaml", "alerts.sms.key_secret: is missing"},
		{"config-bad-channels.yaml", "alerts.sms.app_id: is missing"},
		{"config-bad-channels.yaml", "alerts.sms.sign_name: is missing"},
		{"config-bad-channels.yaml", `:16:5: alerts.voice.gateway: "pigeon" must be aliyun or tencent or json`},
		{"config-bad-channels.yaml", ":17:5: alerts.voice.play_times: 9 must lie between 1 and 3"},
		{"config-bad-channels.yaml", `:20:5: alerts.mail.security: "ssl" must be starttls or tls or none`},
		{"config-bad-channels.yaml", ":21:5: alerts.mail.user: and alerts.mail.password go together"},
		{"config-bad-channels.yaml", "alerts.mail.from: is missing"},
		{"config-bad-channels.yaml", ":23:5: alerts.callbacks.token: must be at least 20 letters"},
		{"config-bad-channels.yaml", `:25:5: alerts.limits.wecom: "20 a minute" must be a number of messages and a time such as 20/1m`},
		{"config-bad-channels.yaml", "alerts.fallback.address: is empty, and dingtalk needs to know whom to reach"},
		{"config-bad-channels-without-effect.yaml", "alerts.wecom_app.corp_id: is empty, and the rest of the section has no effect"},
		{"config-bad-channels-without-effect.yaml", "alerts.sms.gateway: is empty, and the rest"},
		{"config-bad-channels-without-effect.yaml", "alerts.voice.gateway: is empty, and the rest"},
		{"config-bad-channels-without-effect.yaml", "alerts.mail.server: is empty, and the rest"},
		{"config-bad-channels-without-effect.yaml", ":12:5: alerts.callbacks.token: has no effect without alerts.sms.gateway"},
		{"config-bad-values.yaml", `:16:3: http.page: "everybody" must be loopback or open`},
		{"config-bad-values.yaml", `:15:3: http.base_url: "weimang.example.org" must be a whole address`},
	} {
		t.Run(c.file+c.says, func(t *testing.T) {
			r := weimang(t, "", "check", "config", example(c.file))
			r.want(t, exitFailed)
			wantContains(t, "stderr", r.stderr, c.file+":", c.says)
		})
	}
}

func TestTheEnvironmentOverridesTheFile(t *testing.T) {
	c, err := loadText(t, "kafka:\n  brokers: [a:1]\n  partitions: 8\n", "PATH=/bin",
		"WEIMANG_KAFKA_BROKERS=a:9092, b:9092", "WEIMANG_FEED_MAX_KW=30", "WEIMANG_ALERTS_WEBHOOK_URL=https://example.org",
		"WEIMANG_ROSTER_OPEN=true", "WEIMANG_DATA_DIR=/srv/weimang", "WEIMANG_FEED_SKEW=20m")
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.Kafka.Brokers, c.Kafka.Partitions, c.Feed.MaxKW, c.Alerts.Webhook.URL.Reveal(), c.Roster.Open, c.StorePath(), c.Feed.Skew}
	want := []any{[]string{"a:9092", "b:9092"}, 8, 30.0, "https://example.org", true, filepath.Join("/srv/weimang", "weimang.db"), 20 * time.Minute}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestMistakesInTheEnvironmentAreTold(t *testing.T) {
	for _, c := range []struct{ variable, says string }{
		{"WEIMANG_KAFKA_BROKER=a:1", "environment: unknown variable WEIMANG_KAFKA_BROKER; did you mean WEIMANG_KAFKA_BROKERS?"},
		{"WEIMANG_BROKERS=a:1", "did you mean WEIMANG_KAFKA_BROKERS?"},
		{"WEIMANG_COLOUR=blue", "a variable is named for its key"},
		{"WEIMANG_ROSTER_OPEN=perhaps", `WEIMANG_ROSTER_OPEN: roster.open: "perhaps" must be true or false`},
		{"WEIMANG_FEED_WINDOW=1h", "WEIMANG_FEED_WINDOW: feed.window: 1h must lie between"},
	} {
		if _, err := LoadConfig("", []string{c.variable}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.variable, err)
		}
	}
}

func TestVariablesThatKubernetesMakesAreNotMistakes(t *testing.T) {
	if _, err := LoadConfig("", []string{
		"WEIMANG_PORT=tcp://10.0.0.1:8080", "WEIMANG_PORT_8080_TCP_ADDR=10.0.0.1", "WEIMANG_SERVICE_HOST=10.0.0.1",
		"WEIMANG_WEB_SERVICE_PORT_HTTP=8080",
	}); err != nil {
		t.Error(err)
	}
	for _, k := range configKeys(DefaultConfig()) {
		if isServiceLink(k.env()) {
			t.Errorf("%s could not be set: it looks like a variable of Kubernetes", k.env())
		}
	}
}

func TestSecretsComeFromFilesAndAreNeverShown(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("key", []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	yaml := "kafka:\n  brokers: [kafka-1:9093]\n  sasl: {mechanism: plain, user: weimang, password: file:key}\n" +
		"alerts:\n  webhook:\n    url: https://example.org/robot-token\n    secret: file:key\n"
	if err := os.WriteFile("w.yaml", []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig("w.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Alerts.Webhook.Secret.Reveal(); got != "open sesame" {
		t.Errorf("secret is %q", got)
	}
	if got := c.Kafka.SASL.Password.Reveal(); got != "open sesame" {
		t.Errorf("password is %q", got)
	}
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	printed := weimang(t, "", "config", "--file", "w.yaml")
	printed.want(t, exitOK)
	for way, text := range map[string]string{
		"config": printed.stdout, "%+v": fmt.Sprintf("%+v", c), "%#v": fmt.Sprintf("%#v", *c), "JSON": string(asJSON),
	} {
		if strings.Contains(text, "sesame") || strings.Contains(text, "robot-token") {
			t.Errorf("%s shows a secret: %s", way, text)
		}
	}
	wantContains(t, "config", printed.stdout, `password: "***"`, `secret: "***"`, `url: "***"`, "in effect")
	if err := os.Remove("key"); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadConfig("w.yaml", nil); err == nil || !strings.Contains(err.Error(), "w.yaml:7:5: alerts.webhook.secret: open key") {
		t.Errorf("secret's file is gone: %v", err)
	}
}

func TestCheckConfigLooksIntoTheRoster(t *testing.T) {
	t.Setenv("WEIMANG_ROSTER_HOUSEHOLDS", example("households-bad-meter-twice.csv"))
	r := weimang(t, "", "check", "config", example("config-good.yaml"))
	r.want(t, exitFailed)
	wantContains(t, "stderr", r.stderr, "roster.households: ", "line 3")
	t.Setenv("WEIMANG_ROSTER_HOUSEHOLDS", example("households-good.csv"))
	t.Setenv("WEIMANG_ROSTER_PEOPLE", example("people-good.csv"))
	r = weimang(t, "", "check", "config", example("config-good.yaml"))
	r.want(t, exitOK)

	t.Setenv("WEIMANG_ALERTS_WEBHOOK_URL", "")
	r = weimang(t, "", "check", "config", example("config-good.yaml"))
	r.want(t, exitFailed)
	wantContains(t, "stderr", r.stderr, `wandi:operator:1 is on channel "webhook", which the section alerts does not open`)
}
