package channels

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

// Console prints messages for people to read, one block each.
type Console struct {
	mu sync.Mutex
	w  io.Writer
}

// NewConsole makes a console channel on w.
func NewConsole(w io.Writer) *Console { return &Console{w: w} }

// Send implements deliver.Channel.
func (c *Console) Send(_ context.Context, m alerts.Message) (deliver.Receipt, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "── %s → %s %s\n", m.DecidedAt.Format("2006-01-02 15:04"), m.To.Role, m.To.PersonID)
	fmt.Fprintf(&b, "   %s\n", m.Title)
	for line := range strings.SplitSeq(m.Text, "\n") {
		fmt.Fprintf(&b, "   %s\n", line)
	}
	if m.URL != "" {
		fmt.Fprintf(&b, "   %s\n", m.URL)
	}
	for _, a := range m.Answers {
		fmt.Fprintf(&b, "   [%s] %s %s\n", a.Key, a.Label, a.URL)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := io.WriteString(c.w, b.String()); err != nil {
		return deliver.Receipt{}, deliver.Later(deliver.Local, "print message: %w", err)
	}
	return deliver.Receipt{}, nil
}

// JSONLines writes each message as one line of JSON, with ids but no names
// and no addresses.
type JSONLines struct {
	mu sync.Mutex
	w  io.Writer
}

// NewJSONLines makes a JSON lines channel on w.
func NewJSONLines(w io.Writer) *JSONLines { return &JSONLines{w: w} }

// Send implements deliver.Channel.
func (j *JSONLines) Send(_ context.Context, m alerts.Message) (deliver.Receipt, error) {
	line, err := json.Marshal(m)
	if err != nil {
		return deliver.Receipt{}, deliver.Fail(deliver.Format, "encode message: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.w.Write(append(line, '\n')); err != nil {
		return deliver.Receipt{}, deliver.Later(deliver.Local, "write message: %w", err)
	}
	return deliver.Receipt{}, nil
}

// Memory keeps messages, for tests and for the demo's closing list.
type Memory struct {
	mu       sync.Mutex
	messages []alerts.Message
}

// Send implements deliver.Channel.
func (k *Memory) Send(_ context.Context, m alerts.Message) (deliver.Receipt, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.messages = append(k.messages, m)
	return deliver.Receipt{}, nil
}

// Messages are all messages so far, in the order in which they came.
func (k *Memory) Messages() []alerts.Message {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]alerts.Message(nil), k.messages...)
}
