package detectors

import "sync"

// room is what applying an input needs and nobody keeps. Areas are many, and few
// are applied to at a time: they hand it on.
type room struct {
	seen      []observation     // one a home
	silent    [][signals]signal // one a home: of those without signals
	sight     sight             // of the home that is being judged
	foresight foresight
	cells     cells     // a window laid open
	state     homeState // a copy that is being packed or unpacked
	packed    []byte
	ends      []int // of the states in packed
}

var rooms = sync.Pool{New: func() any { return new(room) }}

// borrow is the room; it stays the area's until giveBack.
func (a *Area) borrow() *room {
	if a.room == nil {
		a.room = rooms.Get().(*room)
	}
	return a.room
}

func (a *Area) giveBack() {
	if a.room != nil {
		rooms.Put(a.room)
		a.room = nil
	}
}

// lend gives every home that has no signals an empty set for an interval.
func (a *Area) lend() *room {
	r := a.borrow()
	if n := len(a.homes); len(r.seen) < n {
		r.seen, r.silent = make([]observation, n), make([][signals]signal, n)
	}
	for i, h := range a.homes {
		if h.live.Signals == nil {
			h.live.Signals = &r.silent[i]
		}
	}
	return r
}

// takeBack leaves homes the signals that speak.
func (a *Area) takeBack() {
	for i, h := range a.homes {
		s := h.live.Signals
		speaks := Severity(0)
		for j := range s {
			speaks |= s[j].Severity
		}
		switch lent := &a.room.silent[i]; {
		case speaks == 0:
			h.live.Signals = nil
		case s == lent:
			h.live.Signals = new([signals]signal)
			*h.live.Signals, *lent = *s, [signals]signal{}
		}
	}
}
