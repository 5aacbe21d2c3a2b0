package detectors

import "weimang/ingest"

// registerPoint is the last register a meter showed.
type registerPoint struct {
	End     tick // 0: none yet
	Wh      uint32
	Guessed bool // not measured
}

// registerEvent is what a register did besides counting up.
type registerEvent uint8

const (
	registerCounted  registerEvent = iota
	registerRollover               // passed its last digit and began again at zero
	registerBackward               // stepped back, or on by more than can be: a meter change or a fault; the energy is unknown
	registerFirst                  // nothing to compare with yet
)

// registerEvents counts those that are told of.
type registerEvents struct{ rollover, backward uint64 }

func (e *registerEvents) add(event registerEvent) {
	switch event {
	case registerRollover:
		e.rollover++
	case registerBackward:
		e.backward++
	}
}

// maxRegisterKW bounds the energy between two registers of one meter.
const maxRegisterKW = 60

// energy turns a register reading into the energy of its interval. Over a gap
// only the mean is known: the share of this interval is an estimate, which
// proves no life. Nor does what is counted from a register not measured.
func (p *registerPoint) energy(end tick, r reading) (reading, registerEvent) {
	prev := *p
	if r.wh == ingest.NoValue {
		r.quality, r.reg = ingest.Missing, false
		return r, registerCounted
	}
	*p = registerPoint{End: end, Wh: r.wh, Guessed: !r.quality.ProvesLife()}
	now := r.wh
	r.reg = false
	if prev.End == 0 {
		return noValue(r.length), registerFirst
	}
	span := max(end-prev.End, r.length)
	used, event := uint64(now)-uint64(prev.Wh), registerCounted
	if now < prev.Wh {
		used, event = registerSize(prev.Wh)-uint64(prev.Wh)+uint64(now), registerRollover
	}
	if used > uint64(maxRegisterKW*1000*span.hoursSince(0)) {
		return noValue(r.length), registerBackward
	}
	r.wh = uint32(min(used*uint64(r.length)/uint64(span), ingest.NoValue-1))
	if span > r.length || prev.Guessed {
		r.quality = ingest.Estimated
	}
	return r, event
}

// registerSize is where a register that shows wh begins again: the next power
// of ten, 10 MWh at the least (five digits of kWh with two decimals would
// begin again at 100 MWh; no meter in service has fewer than four).
func registerSize(wh uint32) uint64 {
	size := uint64(10_000_000)
	for size <= uint64(wh) {
		size *= 10
	}
	return size
}
