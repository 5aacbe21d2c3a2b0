package ingest

import "fmt"

// Reason is why a record went to the dead letters. The set is closed: it is a
// metric label and the integrator's first answer.
type Reason string

// Reasons for a dead letter.
const (
	NotJSON          Reason = "not-json"
	NotProtobuf      Reason = "not-protobuf"
	UnknownContent   Reason = "unknown-content-type"
	BadField         Reason = "bad-field" // a field has the wrong type or an impossible value
	NoMeter          Reason = "no-meter"
	BadTime          Reason = "bad-time"     // absent, without offset, or not aligned to its interval
	BadInterval      Reason = "bad-interval" // not 900, 1800 or 3600
	NoEnergy         Reason = "no-energy"    // neither kwh nor register_kwh, or both
	Negative         Reason = "negative"
	Absurd           Reason = "absurd" // more than a home's connection can carry
	NotANumber       Reason = "not-a-number"
	Future           Reason = "future" // ends past the clock plus skew
	TooLate          Reason = "too-late"
	TooLarge         Reason = "too-large"
	NoIncident       Reason = "no-incident-id"
	NoScope          Reason = "no-scope"
	UnknownMeter     Reason = "unknown-meter"     // not in the roster, where a site keeps such records
	UnknownHousehold Reason = "unknown-household" // a directive about a household that is not watched
)

// Reasons lists the closed set, for metrics and documentation.
var Reasons = []Reason{
	NotJSON, NotProtobuf, UnknownContent, BadField, NoMeter, BadTime, BadInterval, NoEnergy,
	Negative, Absurd, NotANumber, Future, TooLate, TooLarge, NoIncident, NoScope, UnknownMeter, UnknownHousehold,
}

// Rejection is the error for a record that cannot be used: why, where in the
// record, and a sentence for the integrator.
type Rejection struct {
	Reason Reason
	Field  string // JSON path such as "kwh[17]"; "" is the whole record
	Text   string
}

func (r *Rejection) Error() string {
	if r.Field == "" {
		return fmt.Sprintf("%s: %s", r.Reason, r.Text)
	}
	return fmt.Sprintf("%s: %s: %s", r.Reason, r.Field, r.Text)
}

// Reject makes a Rejection.
func Reject(reason Reason, field, format string, args ...any) *Rejection {
	return &Rejection{Reason: reason, Field: field, Text: fmt.Sprintf(format, args...)}
}
