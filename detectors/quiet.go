package detectors

import (
	"math"
	"slices"
)

// quiet is what a home uses while nobody does anything: what the readings of
// its quiet nights were. Watts, over half-hours.
type quiet struct {
	Night    [nightLen]uint16 // of the night that is under way
	Got      uint8            // how many of them
	Highs    [14]uint16       // the ninth decile of each of the last nights
	Nights   uint16           // nights seen, saturating
	Quiet    uint16           // of them quiet ones
	Low, Mid float32          // third and sixth decile of a quiet night
	Top      float32          // ninth decile
	Base     float32          // first decile of all hours, which no hot night lifts
	Swing    float32          // ninth decile of the coolest nights: what a refrigerator swings to
}

// The night is the half-hours from local midnight to five.
const nightLen = 10

const (
	// A night counts with readings for most of it, and is quiet when its ninth
	// decile is not far above that of the quieter third of the last nights.
	enoughNight = 8
	quietRatio  = 1.3
	quietWatts  = 10
	// quietMemory is how many quiet nights count.
	quietMemory = 8
	// knownNights is how many a home needs before levels mean anything.
	knownNights = 3
)

// add takes in a half-hour.
func (q *quiet) add(slot int, watts float64) {
	q.sink(watts)
	if slot < nightLen {
		if q.Got < nightLen {
			q.Night[q.Got] = saturate(watts)
			q.Got++
		}
		return
	}
	if q.Got >= enoughNight {
		q.learn(q.Night[:q.Got])
	}
	q.Got = 0
}

func (q *quiet) learn(night []uint16) {
	var sorted [nightLen]uint16
	v := sorted[:copy(sorted[:], night)]
	slices.Sort(v)
	at := func(v []uint16, p float64) float64 { return float64(v[int(p*float64(len(v)-1)+0.5)]) }
	high := at(v, 0.9)
	q.swing(float32(high))
	q.Highs[int(q.Nights)%len(q.Highs)] = uint16(high)
	if q.Nights < math.MaxUint16-uint16(len(q.Highs)) {
		q.Nights++
	} else {
		q.Nights -= uint16(len(q.Highs)) - 1
	}
	highs := q.Highs
	h := highs[:min(int(q.Nights), len(highs))]
	slices.Sort(h)
	if high > quietRatio*at(h, 0.3)+quietWatts {
		return
	}
	if q.Quiet < math.MaxUint16 {
		q.Quiet++
	}
	rate := 1 / float64(min(q.Quiet, quietMemory))
	q.Low += float32(rate * (at(v, 0.3) - float64(q.Low)))
	q.Mid += float32(rate * (at(v, 0.6) - float64(q.Mid)))
	q.Top += float32(rate * (high - float64(q.Top)))
}

// swing goes down with a night and hardly up: a summer of hot nights lifts it
// by a third.
func (q *quiet) swing(high float32) {
	const down, up = 0.2, 1.005
	switch {
	case q.Nights == 0:
		q.Swing = high
	case high < q.Swing:
		q.Swing += down * (high - q.Swing)
	default:
		q.Swing = min(high, max(1, q.Swing)*up)
	}
}

// sink moves the first decile of all hours by a step, up one time in ten
// (Robbins and Monro 1951).
func (q *quiet) sink(watts float64) {
	if q.Base == 0 {
		q.Base = float32(max(watts, 1))
	}
	step := max(0.5, 0.04*q.Base)
	if watts > float64(q.Base) {
		q.Base += 0.1 * step
	} else {
		q.Base = max(1, q.Base-0.9*step)
	}
}

func (q *quiet) known() bool { return q.Quiet >= knownNights }

// most is what of the quiet nights' levels can be stand-by, W: an air conditioner
// that runs through every hot night is not, a refrigerator that is off half of
// the time is.
func (q *quiet) most() float32 {
	return baseTimes*q.Base + min(mostSwing, max(leastSwing, swingTimes*(q.Swing-q.Base)))
}

const (
	baseTimes, swingTimes = 2, 1.5
	// W above base that are stand-by in any home, and that are in none.
	leastSwing, mostSwing = 40, 120
)

// mid is the middle of a quiet night, W.
func (q *quiet) mid() float64 { return float64(min(q.Mid, q.most())) }

// limit is the use above which somebody uses something, W, by the upper part of
// a quiet night.
func limit(top float64) float64 { return top + max(0.25*top, 25) }

// Levels of use, by the home's own quiet nights.
const (
	levelLow  = iota // as the lower third of a quiet night
	levelMid         // as its middle
	levelTop         // as its upper part
	levelEdge        // hardly above
	levelSome        // a lamp, a television
	levelHigh        // something a hand has switched on
	levels
)

// level is where watts stand against the quiet nights.
func (q *quiet) level(watts float64) int {
	most := q.most()
	top := float64(min(q.Top, most))
	high := limit(top)
	switch {
	case watts <= float64(min(q.Low, most)):
		return levelLow
	case watts <= float64(min(q.Mid, most)):
		return levelMid
	case watts <= top:
		return levelTop
	case watts <= high:
		return levelEdge
	case watts <= high+max(60, 0.5*high):
		return levelSome
	default:
		return levelHigh
	}
}
