package deliver

import (
	"errors"
	"fmt"
	"time"
)

// Reason says why a message did not reach its person. The set is closed: it
// is a label of a metric, and the escalation goes by it.
type Reason string

// Reasons of a failed attempt, or of one that a later report calls failed.
const (
	Unreachable Reason = "unreachable" // no connection, or no answer in time
	Throttled   Reason = "throttled"   // too many messages: by our own limit, or by the other side's word
	BadAddress  Reason = "bad-address" // no such number, user, mailbox or robot (any more)
	Unanswered  Reason = "unanswered"  // the phone rang, was busy or was off
	Auth        Reason = "auth"        // key, signature, clock or the sender's own network address is not accepted
	Account     Reason = "account"     // the account is out of money or has not ordered the service
	Format      Reason = "format"      // the message or its template is not as the other side wants it
	Refused     Reason = "refused"     // the words are forbidden, or the person has unsubscribed
	Vendor      Reason = "vendor"      // the other side failed, or answered what nobody understands
	Local       Reason = "local"       // this machine failed: a full disk, a closed pipe
	Deadline    Reason = "deadline"    // it came to be of no use before it could be sent
	NoChannel   Reason = "no-channel"  // the roster names a channel that does not exist
	Stopped     Reason = "stopped"     // the process was told to stop half-way; tried again at once
)

// Reasons are all of them.
var Reasons = []Reason{
	Unreachable, Throttled, BadAddress, Unanswered, Auth, Account, Format, Refused, Vendor, Local, Deadline, NoChannel, Stopped,
}

// Failure is the error of a channel. Its text names neither address nor key:
// it is logged and stored.
type Failure struct {
	Reason Reason
	Retry  bool          // trying again later can help
	After  time.Duration // with Retry: not before; 0 is whenever it suits
	Err    error
}

// Fail makes a failure that trying again does not mend.
func Fail(reason Reason, format string, args ...any) *Failure {
	return &Failure{Reason: reason, Err: fmt.Errorf(format, args...)}
}

// Later makes a failure that may be over later.
func Later(reason Reason, format string, args ...any) *Failure {
	return &Failure{Reason: reason, Retry: true, Err: fmt.Errorf(format, args...)}
}

func (f *Failure) Error() string { return string(f.Reason) + ": " + f.Err.Error() }

// Unwrap gives the error itself.
func (f *Failure) Unwrap() error { return f.Err }

// failure is err as a Failure. A channel that returns another error has a
// mistake; trying again is what loses no message.
func failure(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return &Failure{Reason: Vendor, Retry: true, Err: err}
}
