package detectors

// halfHour is one half-hour of a home, whatever the length of its readings:
// the beat at which life is judged.
type halfHour struct {
	end   tick
	slot  int // of the local day, 0 to 47
	watts float64
	rest  bool // weekend or holiday
}

// quarter is a first quarter-hour that waits for its second.
type quarter struct {
	End   uint32 // ticks
	Watts float32
}

// halves yields the half-hours that an interval completes: none or one of
// quarter-hours, one of a half-hour, two of an hour.
func (q *quarter) halves(o *observation, yield func(halfHour)) {
	h := halfHour{end: o.end, slot: o.slot, watts: o.watts, rest: o.rest}
	switch {
	case o.length == 4:
		h.end -= 2
		yield(h)
		h.end, h.slot = o.end, (h.slot+1)%slotsADay
	case o.length == 1 && o.end%2 != 0:
		*q = quarter{End: uint32(o.end), Watts: float32(o.watts)}
		return
	case o.length == 1 && tick(q.End) == o.end-1:
		h.watts = (h.watts + float64(q.Watts)) / 2
	}
	yield(h)
}
