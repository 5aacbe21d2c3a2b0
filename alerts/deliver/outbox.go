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
	Waiting   Status = "waiting"   // to be sent, or to be tried again
	Sent      Status = "sent"      // a channel accepted it
	Delivered Status = "delivered" // and the vendor has reported that it arrived
	Dead      Status = "dead"      // given up: refused for good, past its deadline, no such channel, or reported as not arrived
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
	Status   Status
	At       time.Time
	RetryAt  time.Time // with Waiting
	Reason   Reason    // "" when sent
	Error    string    // the last error, "" when sent
	VendorID string    // of the receipt
	// Hold is until when nothing more is sent to the address, whatever waits
	// for it: the other side has asked for it. Zero: nothing is held.
	Hold time.Time
}

// Turn is what Begin found.
type Turn struct {
	Ours bool      // the attempt is noted; make it
	Wait time.Time // not ours for a limit or a hold that has room then; else zero
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
	// tries, and after a crash it is tried again then. It is not ours, and
	// nothing is noted, when the message is not due any more: another process
	// has it, or it is done. Where a limit or a hold leaves no room, what is
	// due to that address (of that channel, by what the limit counts) becomes
	// due when there is room.
	Begin(ctx context.Context, it Item, at, lease time.Time, limits []Limit) (Turn, error)
	// Finish notes what became of the attempt. A limit counts it from then.
	Finish(ctx context.Context, it Item, out Outcome) error
	// ForgetAttempts drops what was noted of attempts before that time.
	ForgetAttempts(ctx context.Context, before time.Time) error
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

// Receipt is a channel's word that it has a message.
type Receipt struct {
	VendorID string // what the vendor calls it in later reports, "" where it gives none
}

// Channel sends one message. Its errors are of type *Failure.
type Channel interface {
	Send(ctx context.Context, m alerts.Message) (Receipt, error)
}

// Publisher writes records to topic weimang.alerts, all of them or an error.
// A record may come more than once; its ID is always the same.
type Publisher interface {
	Publish(ctx context.Context, records []alerts.Record) error
}

// State is how a message stands.
type State struct {
	ID       string
	Status   Status
	Attempts int
}
