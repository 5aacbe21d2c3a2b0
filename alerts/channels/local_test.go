package channels_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"weimang/alerts/channels"
	"weimang/alerts/deliver"
)

func TestConsoleShowsWhatAPersonReceives(t *testing.T) {
	var b strings.Builder
	m := message()
	m.Answers = answers()[1:2]
	if _, err := channels.NewConsole(&b).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := "── 2026-07-12 04:00 → chair p1\n   请今天去看看：3组12号\n   第一行\n   第二行\n   http://x/household/h1\n   [2] 平安 https://weimang.example/a/2\n"
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}

func TestJSONLinesCarryIDsAndNoAddress(t *testing.T) {
	var b strings.Builder
	c := channels.NewJSONLines(&b)
	m := message()
	m.Address = chair
	for range 2 {
		if _, err := c.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 2 || strings.Contains(b.String(), chair) {
		t.Fatalf("lines: %s", b.String())
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"message_id": "h1/42#1:p1:console", "alert_id": "h1/42", "channel": "console", "lang": "zh-CN", "kind": "shortfall",
		"severity": "orange", "state": "open", "household_id": "h1", "label": "3组12号", "area_id": "a1",
		"onset": "2026-07-12T04:00:00Z", "decided_at": "2026-07-12T04:00:00Z", "text": "第一行\n第二行",
	} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
	if to, ok := got["to"].(map[string]any); !ok || to["person_id"] != "p1" || to["role"] != "chair" || len(to) != 2 {
		t.Errorf("to is %v", got["to"])
	}
}

var errBusy = errors.New("busy")

// failing is a writer on a full disk.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errBusy }

func TestWritersThatFailAreTriedAgain(t *testing.T) {
	for name, c := range map[string]deliver.Channel{"console": channels.NewConsole(failing{}), "json lines": channels.NewJSONLines(failing{})} {
		_, err := c.Send(t.Context(), message())
		if f := failed(t, err); !f.Retry || f.Reason != deliver.Local || !errors.Is(err, errBusy) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
