package deliver

import (
	"context"
	"errors"
	"time"
)

// Report is what a vendor says later of a message that it took.
type Report struct {
	VendorID  string // as in Receipt
	Delivered bool   // the phone has it, or the person has picked up
	Reason    Reason // when not delivered
	At        time.Time
}

// Reply is what a person has said back.
type Reply struct {
	From     string // phone number with its country (+86...), or user id
	VendorID string // the message it answers, "" where the vendor does not say
	Text     string // of an SMS
	Key      string // of a button or a phone: Answer.Key
	At       time.Time
}

// Inbox takes what comes back. Both may come more than once.
type Inbox interface {
	// Report fails with ErrUnknownMessage where no message of the channel has
	// that vendor id.
	Report(ctx context.Context, channel string, r Report) error
	Reply(ctx context.Context, channel string, r Reply) error
}

// ErrUnknownMessage is a report about a message that is not ours: another
// system may use the same account.
var ErrUnknownMessage = errors.New("no message of that vendor id")
