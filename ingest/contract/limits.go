package contract

import (
	"fmt"
	"math"
	"strings"
	"time"

	"weimang/ingest"
)

const (
	// MaxRecordBytes is the largest record taken.
	MaxRecordBytes = 1 << 20

	// MaxRegisterKWh is the highest register taken: what ingest.Readings can
	// hold in whole Wh. A home's meter shows six digits of kWh.
	MaxRegisterKWh = 4_294_967

	// LongestUsualDelay is the longest usual delay a site can set.
	LongestUsualDelay = 72 * time.Hour

	// longestBlock is the most time one record may cover.
	longestBlock = 7 * 24 * time.Hour
	// mostValues is what a block of the shortest interval may hold.
	mostValues = int(longestBlock / (15 * time.Minute))

	// mostSeq is the largest integer that every JSON library keeps exact.
	mostSeq = 1<<53 - 1
	// longestID is the most characters of an identifier.
	longestID = 64
)

// Limits are the bounds a site may move.
type Limits struct {
	MaxKW      float64       // highest mean power of an interval that a home's connection can carry
	Skew       time.Duration // how far a sender's clock may run ahead
	UsualDelay time.Duration // how late the feed normally is
	Window     time.Duration // how much later than that a reading still counts
}

// DefaultLimits suit homes on a three-phase connection of at most 60 kW and a
// feed that is half an hour behind.
func DefaultLimits() Limits {
	return Limits{MaxKW: 60, Skew: 15 * time.Minute, UsualDelay: 30 * time.Minute, Window: 96 * time.Hour}
}

// CheckClock refuses a block that ends beyond the clock plus skew (future) or
// so long before it that detection has closed that time (too-late). The error
// is an *ingest.Rejection.
func CheckClock(b *ingest.Block, clock time.Time, l Limits) error {
	end := b.End()
	if end.After(clock.Add(l.Skew)) {
		return ingest.Reject(ingest.Future, "ts",
			"the block ends at %s, but it is %s now; ts is the start of the interval: check the offset and the sender's clock",
			stamp(end), stamp(clock))
	}
	if oldest := clock.Add(-l.UsualDelay - l.Window); end.Before(oldest) {
		return ingest.Reject(ingest.TooLate, "ts",
			"the block ends at %s, but nothing before %s is taken any more; send sooner, or agree on a longer usual delay",
			stamp(end), stamp(oldest))
	}
	return nil
}

// CheckEnergy judges one value in kWh of an interval, or of a register; NaN is
// a missing value and good. Field is its place for the error, which is an
// *ingest.Rejection.
func (l Limits) CheckEnergy(field string, kwh float64, interval time.Duration, register bool) error {
	if rej := l.checkEnergy(field, kwh, interval, register); rej != nil {
		return rej
	}
	return nil
}

func (l Limits) checkEnergy(field string, kwh float64, interval time.Duration, register bool) *ingest.Rejection {
	most := l.MaxKW * interval.Hours()
	if register {
		most = MaxRegisterKWh
	}
	switch {
	case math.IsNaN(kwh):
		return nil
	case kwh < 0:
		return ingest.Reject(ingest.Negative, field,
			"%g kWh is below zero; send what the home drew from the grid, and null where there is no value", kwh)
	case kwh > most && register:
		return ingest.Reject(ingest.Absurd, field,
			"a register of %g kWh is more than a home's meter can show (%d); send kWh, not Wh", kwh, MaxRegisterKWh)
	case kwh > most:
		return ingest.Reject(ingest.Absurd, field,
			"%g kWh in %s is a mean of %.1f kW, more than a home's connection carries (%g kW); send the interval's energy in kWh, not Wh and not the register",
			kwh, minutes(interval), kwh/interval.Hours(), l.MaxKW)
	}
	return nil
}

// ValidID reports whether s can be an identifier of the contract: 1 to 64
// characters of A-Z a-z 0-9 . _ : and -. Names and addresses do not fit in.
func ValidID(s string) bool {
	if s == "" || len(s) > longestID {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("._:-", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// ValidInterval reports whether the contract knows the interval.
func ValidInterval(d time.Duration) bool {
	return d == 15*time.Minute || d == 30*time.Minute || d == time.Hour
}

// Aligned reports whether t is the start of an interval, counted in UTC.
func Aligned(t time.Time, interval time.Duration) bool {
	return t.Nanosecond() == 0 && t.Unix()%int64(interval/time.Second) == 0
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// minutes writes an interval as people say it: 30 min, not 30m0s.
func minutes(d time.Duration) string { return fmt.Sprintf("%g min", d.Minutes()) }
