package detectors

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"weimang/ingest"
)

// stateVersion is the first byte of an encoded area. States of the version
// before are read, too: see codec_v1.go.
const stateVersion = 2

// ErrStateVersion is the error of a state written by a version of the program
// that this one cannot read.
var ErrStateVersion = errors.New("unknown state version")

// The encoded area, little endian: version byte, fixed header, the area's id,
// its incidents (JSON, published), who has spoken of consent, then every home: id, zone, published,
// settled state and mark as they are kept, meters with their windows, what the roster has said. Live
// states are not stored: they follow from the marks and the windows.
type areaHeader struct {
	ClockMS   int64
	Watermark tick
	Settled   tick
	Live      tick
	Shortest  tick
	Mark      tick // 0: none
	Step      tick // of the grid of settled and mark
	View      areaState
	MarkView  areaState
	Public    published
	Unheard   published
	Fill      backfill
	Incidents uint32
	Consents  uint32
	Homes     uint32
}

// Encode is the area's whole state, for a checkpoint. The same state always
// gives the same bytes.
func (a *Area) Encode() ([]byte, error) {
	room := 1024
	for _, h := range a.homes {
		room += len(h.kept.b) + 128
		for _, m := range h.meters {
			room += len(m.win.bits) + 64
		}
	}
	e := encoder{b: append(make([]byte, 0, room), stateVersion)}
	marked, view := tick(0), areaState{}
	if a.marked() {
		marked, view = a.pos[mark], a.view[mark]
	}
	e.fixed(areaHeader{
		ClockMS: a.clock.UnixMilli(), Watermark: a.watermark, Settled: a.pos[settled], Live: a.pos[live],
		Shortest: a.shortest, Mark: marked, Step: a.grid.step, View: a.view[settled], MarkView: view,
		Public: a.public, Unheard: a.unheardPublic, Fill: a.fill,
		Incidents: uint32(len(a.incidents)), Consents: uint32(len(a.consents)), Homes: uint32(len(a.homes)),
	})
	e.str(a.id)
	for i := range a.incidents {
		x := &a.incidents[i]
		raw, err := json.Marshal(&x.Incident)
		if err != nil {
			return nil, fmt.Errorf("encode incident %s of area %s: %w", x.ID, a.id, err)
		}
		e.str(string(raw))
		e.fixed(x.public)
		e.fixed(x.told)
	}
	for i := range a.consents {
		c := &a.consents[i]
		e.str(c.id)
		e.fixed(c.Issued)
		e.fixed(c.Withdrawn)
	}
	for i, h := range a.homes {
		e.str(h.id)
		if i > 0 && h.zone == a.homes[i-1].zone {
			e.str("") // the same
		} else {
			e.str(h.zone.loc.String())
		}
		optional(&e, h.public)
		optional(&e, h.fill)
		e.fixed(h.rhythm)
		h.said.encode(&e)
		e.bytes(h.kept.settledState())
		e.bytes(h.kept.markState())
		e.uint(uint64(len(h.meters)))
		for _, m := range h.meters {
			e.str(m.id)
			e.fixed(m.states[settled])
			m.win.encode(&e)
		}
		h.encodeRoster(&e)
	}
	return e.b, e.err
}

// DecodeArea restores what Encode wrote, or what it wrote in the version
// before. p must outlive the area.
func DecodeArea(p *Params, b []byte) (*Area, error) {
	if len(b) == 0 || b[0] != stateVersion && b[0] != 1 {
		return nil, ErrStateVersion
	}
	d := decoder{b: b[1:], version: b[0]}
	head := d.header()
	a := NewArea(p, d.str())
	defer a.giveBack()
	for i := uint32(0); i < head.Incidents && d.err == nil; i++ {
		var x incident
		if raw := d.str(); d.err == nil {
			if err := json.Unmarshal([]byte(raw), &x.Incident); err != nil {
				return nil, fmt.Errorf("decode incident of area %s: %w", a.id, err)
			}
		}
		x.public = d.published()
		d.fixed(&x.told)
		a.incidents = append(a.incidents, x)
	}
	for i := uint32(0); i < head.Consents && d.err == nil; i++ {
		c := consent{id: d.str()}
		d.fixed(&c.Issued)
		d.fixed(&c.Withdrawn)
		a.consents = append(a.consents, c)
	}
	a.setClock(time.UnixMilli(head.ClockMS).UTC())
	a.watermark, a.shortest, a.public, a.fill = head.Watermark, head.Shortest, head.Public, head.Fill
	a.unheardPublic = head.Unheard
	a.start(head.Settled)
	a.view[settled], a.view[mark], a.pos[mark] = head.View, head.MarkView, max(head.Mark, head.Settled)
	if uint64(head.Homes) > uint64(len(d.b))/leastHome {
		d.err = errDamaged
	}
	var homes []home
	if d.err == nil {
		homes = make([]home, head.Homes) // side by side they take less
	}
	for i := range homes {
		h := &homes[i]
		h.id = d.str()
		if name := d.str(); name == "" && i > 0 && d.version != 1 {
			h.zone = a.homes[i-1].zone
		} else if z, err := a.zoneOf(name); err == nil {
			h.zone = z
		} else {
			return nil, fmt.Errorf("decode household %s: %w", h.id, err)
		}
		d.home(h, head.Settled)
		for n := d.uint(); n > 0 && d.err == nil; n-- {
			m := h.newMeter()
			m.id = d.str()
			m.states[settled] = d.meterState()
			if d.version == 1 {
				d.windowV1(&m.win, a.grid.step)
			} else {
				d.window(&m.win, head.Settled, head.Step)
			}
			if tick(m.win.step) != a.grid.step { // saved under other parameters
				c := &a.borrow().cells
				m.win.open(c)
				c.step = a.grid.step
				m.win.pack(c)
			}
			h.meters = append(h.meters, m)
		}
		d.roster(a, h)
		if a.homes = append(a.homes, h); d.err != nil {
			break
		}
	}
	if d.err != nil || len(d.b) != 0 || !a.sound(head.Live) {
		return nil, fmt.Errorf("decode area %s: state is damaged (%d bytes)", a.id, len(b))
	}
	a.findPassing()
	if a.leftBeforeMark() {
		a.fromSettled()
		a.run(a.pos[mark], nil)
	}
	a.goBack(head.Live)
	if !a.soundStates(live) { // the mark is damaged
		a.unmark()
		a.goBack(head.Live)
	}
	a.run(head.Live, nil)
	a.holding = true // whether an opening is held back is asked anew
	return a, nil
}

// mostKept is more than the packed copies of a home take, bytes.
const mostKept = 1 << 15

// leastHome is the least that an encoded home takes, bytes: its numbers alone.
const leastHome = 24

// OrderFree is what of an encoded area must not depend on the order in which its
// inputs came: everything but what was told of it and when. Of two areas that
// have had the same inputs, within the window and up to the same clock, it is
// the same, byte for byte.
func OrderFree(p *Params, state []byte) ([]byte, error) {
	a, err := DecodeArea(p, state)
	if err != nil {
		return nil, err
	}
	for _, h := range a.homes {
		h.public, h.fill, h.rhythm = published{}, backfill{}, rhythm{}
		h.since = min(h.since, clockUnknown) // when the roster spoke of it
		if h.res != nil {
			h.res.took.Version = 0 // how often it was handed over
			for i := range h.res.stays {
				h.res.stays[i].gave.Version = 0
			}
		}
	}
	for i := range a.incidents {
		a.incidents[i].Place = ingest.Place{} // the last of those that were sent again
	}
	a.public, a.unheardPublic, a.fill = published{}, published{}, backfill{}
	return a.Encode()
}

// longestLive bounds how far an area may be ahead of what is settled,
// lastTick every time in it (some 480 years after 1970).
const (
	longestLive = 30 * ticksADay
	lastTick    = tick(1 << 24)
)

// sound reports whether everything in a decoded area is in the range that the
// rest of the code relies on, so that a damaged state is an error here and
// not a panic or an endless loop later.
func (a *Area) sound(liveTo tick) bool {
	from := a.pos[settled]
	ok := from >= 0 && from < lastTick && from%longestInterval == 0 && liveTo >= from && liveTo-from <= longestLive &&
		a.watermark >= 0 && a.watermark-from <= longestLive && (from == 0) == (a.watermark == 0) &&
		soundGrid(a.shortest) && a.public.sound() && a.unheardPublic.sound() &&
		a.view[settled].sound() && a.view[mark].sound() && (!a.marked() || a.pos[mark] <= liveTo)
	for i := range a.incidents {
		ok = ok && a.incidents[i].public.sound()
	}
	for i := range a.consents {
		ok = ok && (i == 0 || a.consents[i-1].id < a.consents[i].id)
	}
	for i, h := range a.homes {
		ok = ok && len(h.meters) > 0 && (i == 0 || a.homes[i-1].id < h.id) && h.public.sound() && h.said.sound() && h.soundRoster()
		for _, m := range h.meters {
			ok = ok && m.win.from == from
		}
	}
	return ok && a.soundStates(settled)
}

// soundStates does so for the homes' settled states, or live ones.
func (a *Area) soundStates(of int) bool {
	for _, h := range a.homes {
		st := &h.live
		if of == settled {
			if st = &a.borrow().state; !a.settledState(h, st) {
				return false
			}
		}
		if !st.sound() {
			return false
		}
	}
	return true
}

func (st *homeState) sound() bool {
	ok := st.Life.sound() && st.Quiet.Got <= nightLen && st.Day.Slot < slotsADay && st.Episode.sound()
	if st.Signals != nil {
		for i := range st.Signals {
			ok = ok && st.Signals[i].sound()
		}
	}
	return ok
}

func soundGrid(g tick) bool { return g == 1 || g == 2 || g == 4 }

func (v *areaState) sound() bool { return v.Episode.sound() && v.Silence.Episode.sound() }

func (s *signal) sound() bool { return int(s.Cause) < len(Causes) && s.Severity <= Red }

func (ep *episode) sound() bool {
	return int(ep.Kind) < len(Kinds) && int(ep.EndCause) < len(Causes) && ep.signal.sound()
}

func (pub *published) sound() bool { return int(pub.Kind) < len(Kinds) && pub.Severity <= Red }

var errDamaged = errors.New("damaged")

type encoder struct {
	b   []byte
	err error
}

func (e *encoder) fixed(v any) {
	b, err := binary.Append(e.b, binary.LittleEndian, v)
	if err != nil {
		e.err = err
		return
	}
	e.b = b
}

// optional writes what most homes have none of.
func optional[T comparable](e *encoder, v T) {
	if v == *new(T) {
		e.b = append(e.b, 0)
		return
	}
	e.b = append(e.b, 1)
	e.fixed(v)
}

func (e *encoder) uint(v uint64)  { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) str(s string)   { e.uint(uint64(len(s))); e.b = append(e.b, s...) }
func (e *encoder) bytes(b []byte) { e.uint(uint64(len(b))); e.b = append(e.b, b...) }

// decoder reads what encoder wrote; after the first error it yields zeroes.
type decoder struct {
	b       []byte
	err     error
	version uint8
}

func (d *decoder) header() (head areaHeader) {
	if d.version == 1 {
		return d.headerV1()
	}
	d.fixed(&head)
	if head.Step <= 0 || head.Step >= longestLive || head.Step%longestInterval != 0 {
		d.err = errDamaged
	}
	return head
}

func (d *decoder) published() (pub published) {
	if d.version == 1 {
		return d.publishedV1()
	}
	d.fixed(&pub)
	return pub
}

func (d *decoder) meterState() (st meterState) {
	if d.version == 1 {
		return d.meterStateV1()
	}
	d.fixed(&st)
	return st
}

// home reads all of a home but its meters. Its settled state stands at a place.
func (d *decoder) home(h *home, at tick) {
	if d.version == 1 {
		d.homeV1(h, at)
	} else {
		decodeOptional(d, &h.public)
		decodeOptional(d, &h.fill)
		d.fixed(&h.rhythm)
		var s said
		if s.decode(d); s != (said{}) {
			h.said = &s
		}
		settledState, markState := d.bytes(), d.bytes()
		if len(settledState)+len(markState) > mostKept {
			d.err = errDamaged
			return
		}
		h.kept.keep(settledState, markState, nil)
	}
}

func (d *decoder) fixed(v any) {
	if d.err != nil {
		return
	}
	n, err := binary.Decode(d.b, binary.LittleEndian, v)
	if err != nil {
		d.err = err
		return
	}
	d.b = d.b[n:]
}

// decodeOptional reads what optional wrote.
func decodeOptional[T comparable](d *decoder, v *T) {
	switch there := d.uint(); there {
	case 0:
	case 1:
		d.fixed(v)
	default:
		d.err = errDamaged
	}
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.err, d.b = errDamaged, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes() []byte {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.err = errDamaged
		return nil
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) str() string { return string(d.bytes()) }
