package ingest

import (
	"math"
	"time"
)

// Quality says how the utility came by a value. The zero value is Valid, so a
// sender who says nothing claims a measured value.
type Quality uint8

// Qualities of the wire contract. A later revision of a reading replaces an
// earlier one unless its Rank is lower.
const (
	Valid        Quality = iota // measured
	Edited                      // measured, then corrected by a person or a check
	Estimated                   // filled in by the utility; proves no life
	Questionable                // measured, but the utility doubts it; proves no life
	Missing                     // no value: never zero
)

var qualityNames = [...]string{"valid", "edited", "estimated", "questionable", "missing"}

func (q Quality) String() string {
	if int(q) < len(qualityNames) {
		return qualityNames[q]
	}
	return "unknown"
}

// ParseQuality reads the contract's word for a quality; "" is Valid.
func ParseQuality(s string) (Quality, bool) {
	if s == "" {
		return Valid, true
	}
	for i, name := range qualityNames {
		if s == name {
			return Quality(i), true
		}
	}
	return 0, false
}

// Rank orders revisions of one reading: a higher rank replaces a lower one
// whatever came first, equal ranks replace each other in order of arrival.
func (q Quality) Rank() int {
	switch q {
	case Edited:
		return 4
	case Valid:
		return 3
	case Questionable:
		return 2
	case Estimated:
		return 1
	default:
		return 0
	}
}

// ProvesLife reports whether use of this quality may be taken as a sign that
// somebody is there.
func (q Quality) ProvesLife() bool { return q == Valid || q == Edited }

// Block is a run of consecutive intervals of one meter as a sender put it
// into one record; a single reading is a block of one value.
type Block struct {
	MeterID  string
	AreaID   string        // transformer area as the sender named it; "" means: ask the roster
	Start    time.Time     // start of the first interval, UTC
	Interval time.Duration // 15, 30 or 60 minutes
	// KWh holds one value an interval: energy in kWh, or with Register the
	// cumulative register in kWh at the interval's end. NaN is a missing value.
	KWh      []float64
	Register bool
	Quality  Quality // of every value in the block
	Seq      int64   // sender's sequence, 0 when absent
	SentAt   time.Time
}

// End is the end of the block's last interval.
func (b Block) End() time.Time {
	return b.Start.Add(time.Duration(len(b.KWh)) * b.Interval)
}

// NoValue marks a missing value in Readings.Wh: no data is never zero.
const NoValue = math.MaxUint32

// Readings is a block after validation and roster look-up, in whole Wh.
type Readings struct {
	MeterID     string
	HouseholdID string
	Zone        string // IANA name of the household's zone; "" is UTC
	Start       time.Time
	Interval    time.Duration
	Wh          []uint32 // energy, or register with Register; NoValue where missing
	Register    bool
	Quality     Quality
}

// Input is one entry of an area's log (topic weimang.inputs). At most one of
// Readings, Incident, Directive, Residence and Handover is set; none is the
// clock alone. Everything detection does is a function of the sequence of
// inputs of an area.
type Input struct {
	AreaID string
	// Clock is the run's clock when the entry was written: wall time, or the
	// feed's own time. Detection judges by no other clock.
	Clock     time.Time
	Readings  *Readings
	Incident  *Incident
	Directive *Directive
	Residence *Residence
	Handover  *Handover
}
