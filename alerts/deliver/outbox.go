package deliver

import (
	"context"
	"time"

	"weimang/alerts"
)

// Status is where a message stands.
type Status string

// Statuses of a message.
const (
	Waiting Status = "waiting" // to be sent, or to be tried again
	Sent    Status = "sent"    // a channel accepted it
	Dead    Status = "dead"    // given up: refused for good, past its deadline, or no such channel
)

// Item is a message of the outbox.
type Item struct {
	N        int64
	Message  alerts.Message
	Attempts int // before this one
}

// TopicItem is a record of the outbox.
type TopicItem struct {
	N      int64
	Record alerts.Record
}

// Outcome is what became of an attempt.
type Outcome struct {
	Status  Status
	At      time.Time
	RetryAt time.Time // with Waiting
	Error   string    // the last error, "" when sent
}

// Outbox is the durable queue (package store). Times are wall times.
type Outbox interface {
	// Due lists messages of a channel whose time has come, first contact
	// ahead of follow-ups ahead of all-clears, the gravest first. A message
	// is not due before an earlier one of its alert to the same person is done.
	Due(ctx context.Context, channel string, now time.Time, limit int) ([]Item, error)
	// NextDue is when the channel's next waiting message is due; zero: none waits.
	NextDue(ctx context.Context, channel string) (time.Time, error)
	// Begin notes an attempt before it is made. Until lease nobody else
	// tries, and after a crash it is tried again then. It reports false, and
	// notes nothing, when the message is not due any more: another process
	// has it, or it is done.
	Begin(ctx context.Context, n int64, at, lease time.Time) (bool, error)
	Finish(ctx context.Context, it Item, out Outcome) error
	// Stranded lists waiting messages that are past their deadline or whose
	// channel is not among the known.
	Stranded(ctx context.Context, known []string, now time.Time) ([]Item, error)

	// Records lists records for the topic in order.
	Records(ctx context.Context, limit int) ([]TopicItem, error)
	// Published forgets records up to and including n.
	Published(ctx context.Context, upTo int64) error

	// Depth counts what waits.
	Depth(ctx context.Context) (messages, records int, err error)
}

// Channel sends one message. A nil error is a receipt. Otherwise retry says
// whether trying again later can help.
type Channel interface {
	Send(ctx context.Context, m alerts.Message) (retry bool, err error)
}

// Publisher writes records to topic weimang.alerts, all of them or an error.
// A record may come more than once; its ID is always the same.
type Publisher interface {
	Publish(ctx context.Context, records []alerts.Record) error
}

// RetryAfterError is an error with the other side's word on when to come back.
type RetryAfterError struct {
	After time.Duration
	Err   error
}

func (e *RetryAfterError) Error() string { return e.Err.Error() }

// Unwrap gives the error itself.
func (e *RetryAfterError) Unwrap() error { return e.Err }

// State is how a message stands.
type State struct {
	ID       string
	Status   Status
	Attempts int
}
