package simulate

import (
	"math"
	"math/rand/v2"
)

// stream names what is drawn for. Each has a source of its own, so that a
// change to one appliance leaves the others as they were. Values are part of
// what a seed means: append, never reorder.
type stream uint64

const (
	streamWeather stream = iota + 1
	streamHome
	streamTrips
	streamRoutine
	streamFridge
	streamKettle
	streamCooking
	streamLights
	streamTelevision
	streamSmall
	streamWashing
	streamBath
	streamAirConditioner
	streamFan
	streamBlanket
	streamStove
	streamNight
	streamReports
	streamMissing
	streamDelivery
	streamStory
)

// dice draws from one source at a time; roll puts the next in its hand.
type dice struct {
	pcg rand.PCG
	*rand.Rand
}

func newDice() *dice {
	d := new(dice)
	d.Rand = rand.New(&d.pcg)
	return d
}

// roll restarts the dice for one stream of one home (or none) on one day, or
// in one year.
func (d *dice) roll(seed uint64, s stream, home, day int) {
	h := mix(seed ^ uint64(s)*0x9e3779b97f4a7c15)
	h = mix(h ^ uint64(home)*0xbf58476d1ce4e5b9)
	h = mix(h ^ uint64(day)*0x94d049bb133111eb)
	d.pcg.Seed(h, mix(h+1))
}

// mix is the finaliser of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// uniform turns a hash into a number in [0, 1).
func uniform(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// between is even between low and high.
func (d *dice) between(low, high float64) float64 { return low + (high-low)*d.Float64() }

// about is normal around mean, cut at two and a half deviations: very old
// people surprise, but not by twelve hours.
func (d *dice) about(mean, deviation float64) float64 {
	return mean + deviation*math.Max(-2.5, math.Min(2.5, d.NormFloat64()))
}

func (d *dice) chance(p float64) bool { return d.Float64() < p }

func clamp(x, low, high float64) float64 { return math.Max(low, math.Min(high, x)) }
