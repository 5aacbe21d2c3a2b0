package alerts

import (
	"encoding/json"
	"fmt"
	"time"

	"weimang/alerts/roster"
	"weimang/detectors"
)

// Alert is what a household, or an area, is in need of now or was: one row per
// episode, at most one open per subject. It has two ends: that of the episode,
// which the detectors see, and that of the case, which somebody has to say.
// Times of the episode are event times, those of the case wall times.
type Alert struct {
	ID          string
	Subject     string // household id, or the area's subject: one open alert each
	HouseholdID string // "" for an area's notice
	AreaID      string
	VillageID   string // "" when the roster knows none
	Kind        detectors.Kind
	Severity    detectors.Severity // of the last transition before the end
	Onset       time.Time
	OpenedAt    time.Time
	UpdatedAt   time.Time
	ResolvedAt  time.Time // zero while open
	LastSeq     int
	Finding     *detectors.Finding // the last open or update
	Ending      *detectors.Finding // the resolving transition; nil while open or superseded

	Case
}

// Open reports whether the episode still lasts.
func (a *Alert) Open() bool { return a.ResolvedAt.IsZero() }

// Area reports whether the alert is an area's notice and not a household's.
func (a *Alert) Area() bool { return a.HouseholdID == "" }

// Latest is the finding that says how things stand.
func (a *Alert) Latest() *detectors.Finding {
	if a.Ending != nil {
		return a.Ending
	}
	return a.Finding
}

// Transition is one step of an alert as the detectors decided it. Alert id and
// sequence are its identity; Raw is the finding's JSON as it came.
type Transition struct {
	AlertID string
	Seq     int
	Raw     json.RawMessage
}

// EventKind says what happened to an alert.
type EventKind string

// Events of an alert's history.
const (
	EventOpened      EventKind = "opened"
	EventUpdated     EventKind = "updated"
	EventResolved    EventKind = "resolved"
	EventSuperseded  EventKind = "superseded"  // a new episode began before the end of this one was heard, or before its case was closed
	EventUnrouted    EventKind = "unrouted"    // nobody in the roster to tell: went to the operator
	EventTold        EventKind = "told"        // a channel accepted a message
	EventUndelivered EventKind = "undelivered" // a message came to a dead end

	EventSilenced     EventKind = "silenced"     // nobody is told, and why
	EventCalled       EventKind = "called"       // the chain went on to its next step, and why
	EventExhausted    EventKind = "exhausted"    // nobody on the whole chain has answered
	EventAcknowledged EventKind = "acknowledged" // somebody sees to it
	EventPassed       EventKind = "passed"       // somebody cannot
	EventReminded     EventKind = "reminded"
	EventWell         EventKind = "well"      // the resident has said that all is well
	EventHelp         EventKind = "help"      // the resident has asked for help
	EventAway         EventKind = "away"      // somebody has said that nobody is there
	EventMuted        EventKind = "muted"     // somebody wants not to be told of the home for a time
	EventVisited      EventKind = "visited"   // somebody was there
	EventOutcome      EventKind = "outcome"   // somebody has said what it was
	EventAsked        EventKind = "asked"     // it is over by itself; somebody is asked what it was
	EventFollowUp     EventKind = "follow-up" // the day to look again has come
	EventReopened     EventKind = "reopened"
	EventClosed       EventKind = "closed"
)

// EventKinds lists the closed set.
var EventKinds = []EventKind{
	EventOpened, EventUpdated, EventResolved, EventSuperseded, EventUnrouted, EventTold, EventUndelivered, EventSilenced, EventCalled,
	EventExhausted, EventAcknowledged, EventPassed, EventReminded, EventWell, EventHelp, EventAway, EventMuted, EventVisited,
	EventOutcome, EventAsked, EventFollowUp, EventReopened, EventClosed,
}

// Event is one line of an alert's history, which is only ever appended to.
type Event struct {
	AlertID    string
	Seq        int // the transition it belongs to
	Kind       EventKind
	At         time.Time // event time of a transition, wall time of a delivery
	Detail     string    // role and channel, or a reason; no names, no addresses
	PersonID   string    // who did it; "" is the system
	RecordedAt time.Time // wall time
	Finding    *detectors.Finding
}

// Recipient is whom a message is for, without name or address.
type Recipient struct {
	PersonID string      `json:"person_id"`
	Role     roster.Role `json:"role"`
}

// Message is one transition for one person over one channel. Its JSON holds
// nothing that identifies a person beyond ids and the household's label, and
// nothing that differs between two runs of the same feed.
type Message struct {
	ID          string             `json:"message_id"`
	AlertID     string             `json:"alert_id"`
	Seq         int                `json:"seq"`
	Purpose     Purpose            `json:"purpose,omitempty"` // "" is ToTell or ToEnd, as State says
	Alerts      []string           `json:"alerts,omitempty"`  // all that a bundle tells, when it is one
	Digest      bool               `json:"digest,omitempty"`
	To          Recipient          `json:"to"`
	Channel     string             `json:"channel"`
	Lang        roster.Lang        `json:"lang"`
	Kind        detectors.Kind     `json:"kind"`
	Severity    detectors.Severity `json:"severity"`
	State       detectors.State    `json:"state"`
	HouseholdID string             `json:"household_id"`
	Label       string             `json:"label"`
	AreaID      string             `json:"area_id"`
	VillageID   string             `json:"village_id,omitempty"`
	Onset       time.Time          `json:"onset"`
	DecidedAt   time.Time          `json:"decided_at"`
	Title       string             `json:"title"`
	Text        string             `json:"text"`
	URL         string             `json:"url,omitempty"`
	Fallback    bool               `json:"fallback,omitempty"` // to the operator, for want of a chair
	Short       *Short             `json:"short,omitempty"`    // for SMS and voice; nil: it has no short form
	Answers     []Answer           `json:"answers,omitempty"`  // what can be said back with one tap or key

	Address   string    `json:"-"` // looked up when it is sent, so that a corrected number counts
	CreatedAt time.Time `json:"-"` // wall time
	Deadline  time.Time `json:"-"` // wall time after which it is of no use
	Rank      Rank      `json:"-"`
}

// Answer is one thing that can be said back.
type Answer struct {
	Key   string `json:"key"`           // 1 to 9: the code by SMS, the key of a phone, the name of a button
	Label string `json:"label"`         // what the button says
	URL   string `json:"url,omitempty"` // where the same is said by a link
}

// Rank orders the outbox: who has heard nothing yet goes first.
type Rank int

// Ranks of a message, the most pressing first.
const (
	FirstContact Rank = iota
	FollowUp
	AllClear
)

// MessageID is the identity of a message: transition, recipient, channel.
func MessageID(alertID string, seq int, personID, channel string) string {
	return TransitionID(alertID, seq) + ":" + personID + ":" + channel
}

// Record is what goes to a topic from the store's outbox, at least once, to be
// recognised by its ID: a transition to weimang.alerts, or what somebody has
// said of a home to weimang.directives.
type Record struct {
	ID      string // transition identity, or that of a directive
	Topic   string // "" is weimang.alerts
	Key     string
	Value   []byte // JSON of Published, or of a directive
	AlertID string
}

// Published is the JSON of a Record. It carries ids only.
type Published struct {
	AlertID   string          `json:"alert_id"`
	Seq       int             `json:"seq"`
	VillageID string          `json:"village_id,omitempty"`
	Finding   json.RawMessage `json:"finding"`
}

// TransitionID is the identity of a transition.
func TransitionID(alertID string, seq int) string { return fmt.Sprintf("%s#%d", alertID, seq) }
