package detectors

import (
	"encoding/json"
	"fmt"
	"time"
)

// Kind names what is unlike usual. Kinds are stable: they are metric labels,
// message keys and columns of the store.
type Kind string

// Kinds of findings. The first nine concern a household, the others an area;
// SilentMeter may concern either.
const (
	NoSignOfLife Kind = "no-sign-of-life" // nobody is using anything who usually would by now
	NotBack      Kind = "not-back"        // power returned to the area, not to this home
	Frozen       Kind = "frozen"          // what was on stays on, nothing changes
	Shortfall    Kind = "shortfall"       // less than usual though life goes on
	StuckOn      Kind = "stuck-on"        // something strong has run on for hours
	NightLife    Kind = "night-life"      // day and night change places
	Decline      Kind = "decline"         // slow loss of activity over weeks
	SilentMeter  Kind = "silent-meter"    // no data; nobody can say
	Impossible   Kind = "impossible"      // the meter reports what cannot be
	AreaDark     Kind = "area-dark"       // most homes of an area are without supply
	Announced    Kind = "announced"       // the power grid has announced an outage
)

// Kinds lists the closed set, household kinds first, in order of precedence:
// of two findings of one severity the earlier kind names the alert.
var Kinds = []Kind{
	NoSignOfLife, NotBack, Frozen, Shortfall, StuckOn, NightLife, Decline, SilentMeter, Impossible, AreaDark, Announced,
}

// Severity is one of the four colours of the emergency-response law, Red the
// highest. The zero value is no severity at all.
type Severity uint8

// Severities. Red and Orange are visit-level: somebody should go.
const (
	Blue   Severity = iota + 1 // good to know: the page only
	Yellow                     // call, look, ask within a day or two
	Orange                     // somebody should go today
	Red                        // someone may be in danger now
)

var severityNames = [...]string{"", "blue", "yellow", "orange", "red"}

func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return fmt.Sprintf("severity(%d)", uint8(s))
}

// VisitLevel reports whether somebody should knock on the door.
func (s Severity) VisitLevel() bool { return s >= Orange }

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Severity) UnmarshalText(b []byte) error {
	for i, name := range severityNames {
		if i > 0 && name == string(b) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("unknown severity %q", b)
}

// State is the place of a transition in an episode.
type State string

// States of an episode's transitions.
const (
	Open     State = "open"
	Update   State = "update"   // a higher severity, or other times of an announcement
	Resolved State = "resolved" // life or power is back, or later data took it back
)

// Finding is one transition of an episode: what the detectors say about one
// household, or about one area, and since when. It is the record of topic
// weimang.findings and, as a JSON line, of a backtest.
//
// (Subject, Episode) names the episode, Seq the transition in it; the same
// log always yields the same three, so a consumer may drop what it has seen.
type Finding struct {
	MeterID     string   `json:"meter_id"`
	HouseholdID string   `json:"household_id"` // "" for an area's finding
	AreaID      string   `json:"area_id"`
	IncidentID  string   `json:"incident_id,omitempty"` // Announced, or what explains the finding
	Households  []string `json:"households,omitempty"`  // Announced: whom it concerns; none: the whole area
	Kind        Kind     `json:"kind"`
	Severity    Severity `json:"severity"`
	State       State    `json:"state"`
	Episode     int64    `json:"episode"` // quarter-hours since 1970 of the first onset
	Seq         int      `json:"seq"`     // 1 is the opening
	// Pushed: whether the transition leaves the page for somebody's phone.
	Pushed bool `json:"pushed"`

	Onset     time.Time `json:"onset"`      // since when it has been unlike usual
	At        time.Time `json:"at"`         // event time at which the evidence sufficed
	DecidedAt time.Time `json:"decided_at"` // the run's clock at that moment
	DataUntil time.Time `json:"data_until"` // end of the newest reading behind it

	Value  float64 `json:"value"` // kWh used over Reason.Hours
	Usual  float64 `json:"usual"` // kWh usual over the same hours
	Reason Reason  `json:"reason"`
}

// Age is how old the newest reading was when the decision was made.
func (f *Finding) Age() time.Duration { return f.DecidedAt.Sub(f.DataUntil) }

// Subject is whom the episode is about: a household, an area, the silence of
// an area's meters, or one announcement in an area.
func (f *Finding) Subject() string {
	switch {
	case f.HouseholdID != "":
		return f.HouseholdID
	case f.Kind == Announced:
		return "area:" + f.AreaID + ":" + f.IncidentID
	case f.Kind == SilentMeter: // a dark area may fall silent, too
		return "silent-area:" + f.AreaID
	default:
		return "area:" + f.AreaID
	}
}

// AlertID is the identity of the episode as an alert.
func (f *Finding) AlertID() string { return fmt.Sprintf("%s/%d", f.Subject(), f.Episode) }

// Cause is the structured reason's closed set; messages are written for it.
type Cause string

// Causes. Each has a sentence in the message catalogue.
const (
	CauseQuiet      Cause = "quiet"       // at stand-by level while usually in use
	CauseDark       Cause = "dark"        // nothing at all, not even a fridge, among lit neighbours
	CauseNotBack    Cause = "not-back"    // still dark after the area is lit again
	CauseFlat       Cause = "flat"        // use stays at one level above stand-by, day and night
	CauseCycling    Cause = "cycling"     // only something that switches itself on and off
	CauseBelow      Cause = "below"       // far below the home's own usual
	CauseBelowArea  Cause = "below-area"  // far below usual while the neighbours use more than usual
	CauseNotRising  Cause = "not-rising"  // about as usual while the neighbours, whom it follows, use far more
	CauseAbove      Cause = "above"       // far above usual for hours on end
	CauseReversed   Cause = "reversed"    // asleep by day, awake by night
	CauseRestless   Cause = "restless"    // the day has lost its shape: as much use by night as by day
	CauseLess       Cause = "less"        // less from week to week
	CauseSilent     Cause = "silent"      // no readings from this meter while the neighbours' come
	CauseNeverHeard Cause = "never-heard" // in the roster, and no reading has ever come
	CauseAreaSilent Cause = "area-silent" // no readings from most meters of the area
	CauseBackward   Cause = "backward"    // the register stepped back
	CausePeak       Cause = "peak"        // more than the connection can carry
	CauseStuckValue Cause = "stuck-value" // the same value to the last digit for too long
	CauseOutage     Cause = "outage"      // area dark, nothing announced
	CausePlanned    Cause = "planned"     // area dark, as announced
	CauseAnnounced  Cause = "announced"   // outage announced
	CauseLifeBack   Cause = "life-back"   // use returned
	CauseUsualBack  Cause = "usual-back"  // use is within its usual band again
	CausePowerBack  Cause = "power-back"  // the area is lit again
	CauseDataBack   Cause = "data-back"   // readings come again, or are plausible again
	CauseAway       Cause = "away"        // somebody has said that the person is away
	CauseMuted      Cause = "muted"       // somebody has asked not to be told of this home
	CauseLeft       Cause = "left"        // the roster has the home here no more
	CauseNewUsual   Cause = "new-usual"   // it has lasted so long that it is now taken for usual
	CauseOver       Cause = "over"        // the announced time has passed or was withdrawn
	CauseCorrection Cause = "correction"  // later data took it back

	CauseConsentWithdrawn Cause = "consent-withdrawn" // the person does not want to be watched
)

// Causes lists the closed set.
var Causes = []Cause{
	CauseQuiet, CauseDark, CauseNotBack, CauseFlat, CauseCycling, CauseBelow, CauseBelowArea, CauseNotRising, CauseAbove,
	CauseReversed, CauseRestless, CauseLess, CauseSilent, CauseAreaSilent, CauseBackward, CausePeak, CauseStuckValue,
	CauseOutage, CausePlanned, CauseAnnounced, CauseLifeBack, CauseUsualBack, CausePowerBack, CauseDataBack, CauseAway,
	CauseNewUsual, CauseOver, CauseCorrection, CauseMuted, CauseConsentWithdrawn, CauseLeft, CauseNeverHeard,
}

// Reason is why, in a form a message can be written from.
type Reason struct {
	Cause      Cause   `json:"cause"`
	Hours      float64 `json:"hours,omitempty"`      // the span Value and Usual stand for
	Neighbours float64 `json:"neighbours,omitempty"` // the area's use over its usual, 1 is as usual
	// Rate is how sure it is: false alarms of this strength to be expected
	// per home and day. 0: not a matter of chance (an outage, a silent meter).
	Rate    float64   `json:"rate,omitempty"`
	Homes   int       `json:"homes,omitempty"`    // area: homes dark, or at the end homes not back
	OfHomes int       `json:"of_homes,omitempty"` // area: homes that report
	From    time.Time `json:"from,omitzero"`      // announcement
	Until   time.Time `json:"until,omitzero"`     // announcement; zero is an open end
	Also    []Kind    `json:"also,omitempty"`     // weaker findings on the same home
	Warmup  bool      `json:"warmup,omitempty"`   // less than 14 days of history: usual is a wide guess
}

// UsePoint is one interval of one household beside its usual band, for the
// page and the history store (topic weimang.history).
type UsePoint struct {
	Start    time.Time     `json:"start"`
	Interval time.Duration `json:"interval_ns"`
	KWh      float64       `json:"kwh"` // meaningless when NoData
	NoData   bool          `json:"no_data,omitempty"`
	Low      float64       `json:"low"`  // kWh, lower edge of the usual band
	Mid      float64       `json:"mid"`  // kWh, what is usual
	High     float64       `json:"high"` // kWh, upper edge
}

// History is the record of topic weimang.history: some consecutive or single
// points of one household. Later points replace earlier ones of one start.
type History struct {
	HouseholdID string     `json:"household_id"`
	AreaID      string     `json:"area_id"`
	Points      []UsePoint `json:"points"`
}

// EncodeFinding is the JSON of topic weimang.findings and of a backtest line.
func EncodeFinding(f *Finding) ([]byte, error) { return json.Marshal(f) }

// DecodeFinding reads what EncodeFinding wrote.
func DecodeFinding(b []byte) (*Finding, error) {
	f := new(Finding)
	if err := json.Unmarshal(b, f); err != nil {
		return nil, fmt.Errorf("decode finding: %w", err)
	}
	return f, nil
}
