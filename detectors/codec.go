package detectors

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// stateVersion is the first byte of an encoded area. States of the version
// before are read, too: see codec_v1.go.
const stateVersion = 2

// ErrStateVersion is the error of a state written by a version of the program
// that this one cannot read.
var ErrStateVersion = errors.New("unknown state version")

// The encoded area, little endian: version byte, fixed header, the area's id,
// its incidents (JSON, published), who has spoken of consent, then every home: id, zone, published,
// settled state, meters with their windows, what the roster has said. Live states are not stored: they
// follow from the settled ones and the windows.
type areaHeader struct {
	ClockMS   int64
	Watermark tick
	Settled   tick
	Live      tick
	Shortest  tick
	View      areaState
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
	e := encoder{b: []byte{stateVersion}}
	e.fixed(areaHeader{
		ClockMS: a.clock.UnixMilli(), Watermark: a.watermark, Settled: a.pos[settled], Live: a.pos[live],
		Shortest: a.shortest, View: a.view[settled], Public: a.public, Unheard: a.unheardPublic, Fill: a.fill,
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
	for _, h := range a.homes {
		e.str(h.id)
		e.str(h.zone.loc.String())
		e.fixed(h.public)
		e.fixed(h.fill)
		e.fixed(h.rhythm)
		h.said.encode(&e)
		h.states[settled].encode(&e)
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
	a.clock = time.UnixMilli(head.ClockMS).UTC()
	a.watermark, a.shortest, a.public, a.fill = head.Watermark, head.Shortest, head.Public, head.Fill
	a.unheardPublic = head.Unheard
	a.start(head.Settled)
	a.view[settled] = head.View
	for i := uint32(0); i < head.Homes && d.err == nil; i++ {
		h := &home{id: d.str()}
		var err error
		if h.zone, err = a.zoneOf(d.str()); err != nil {
			return nil, fmt.Errorf("decode household %s: %w", h.id, err)
		}
		d.home(h)
		for n := d.uint(); n > 0 && d.err == nil; n-- {
			m := &meter{id: d.str()}
			m.states[settled] = d.meterState()
			d.window(&m.win)
			h.meters = append(h.meters, m)
		}
		d.roster(a, h)
		a.homes = append(a.homes, h)
	}
	if d.err != nil || len(d.b) != 0 || !a.sound(head.Live) {
		return nil, fmt.Errorf("decode area %s: state is damaged (%d bytes)", a.id, len(b))
	}
	a.obs = make([]observation, len(a.homes))
	a.findPassing()
	a.goBack(head.Settled)
	a.run(head.Live, nil)
	a.holding = true // whether an opening is held back is asked anew
	return a, nil
}

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
		if h.res != nil {                    // how often it was handed over
			h.res.took.Version = 0
			for i := range h.res.stays {
				h.res.stays[i].gave.Version = 0
			}
		}
	}
	a.public, a.unheardPublic, a.fill = published{}, published{}, backfill{}
	return a.Encode()
}

// parts are what a state holds, but for its signals, of which few speak.
func (st *homeState) parts() []any {
	return []any{
		&st.Habits, &st.Quarter, &st.Quiet, &st.Levels, &st.Life, &st.Day, &st.Share, &st.Above, &st.Slow,
		&st.Tails, &st.Silence, &st.Plausible, &st.Heeded, &st.Dark, &st.Episode,
	}
}

func (st *homeState) encode(e *encoder) {
	for _, part := range st.parts() {
		e.fixed(part)
	}
	speak := uint16(0)
	for i := range st.Signals {
		if st.Signals[i] != (signal{}) {
			speak |= 1 << i
		}
	}
	e.fixed(speak)
	for i := range st.Signals {
		if speak&(1<<i) != 0 {
			e.fixed(st.Signals[i])
		}
	}
}

func (st *homeState) decode(d *decoder) {
	for _, part := range st.parts() {
		d.fixed(part)
	}
	var speak uint16
	d.fixed(&speak)
	if speak >= 1<<signals {
		d.err = errDamaged
	}
	for i := range st.Signals {
		if speak&(1<<i) != 0 {
			d.fixed(&st.Signals[i])
		}
	}
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
		a.view[settled].Episode.sound() && a.view[settled].Silence.Episode.sound()
	for i := range a.incidents {
		ok = ok && a.incidents[i].public.sound()
	}
	for i := range a.consents {
		ok = ok && (i == 0 || a.consents[i-1].id < a.consents[i].id)
	}
	for i, h := range a.homes {
		st := &h.states[settled]
		ok = ok && len(h.meters) > 0 && (i == 0 || a.homes[i-1].id < h.id) && st.sound() && h.public.sound() && h.said.sound() && h.soundRoster()
		for _, m := range h.meters {
			w := &m.win
			ok = ok && w.from == from && w.newest >= 0 && len(w.wh) <= int(longestLive) &&
				(soundGrid(w.grid) || w.grid == 0 && len(w.wh) == 0)
		}
	}
	return ok
}

func (st *homeState) sound() bool {
	ok := st.Life.sound() && st.Quiet.Got <= nightLen && st.Day.Slot < slotsADay && st.Episode.sound()
	for j := range st.Signals {
		ok = ok && st.Signals[j].sound()
	}
	return ok
}

func soundGrid(g tick) bool { return g == 1 || g == 2 || g == 4 }

func (s *signal) sound() bool { return int(s.Cause) < len(Causes) && s.Severity <= Red }

func (ep *episode) sound() bool {
	return int(ep.Kind) < len(Kinds) && int(ep.EndCause) < len(Causes) && ep.signal.sound()
}

func (pub *published) sound() bool { return int(pub.Kind) < len(Kinds) && pub.Severity <= Red }

// A window is written as runs of cells with the same flags, as nearly all of a
// meter's readings have: how many, and their values packed. Of registers that is
// the first, and how far each is on from the one before.
func (w *window) encode(e *encoder) {
	e.fixed([3]tick{w.from, w.grid, w.newest})
	e.uint(uint64(len(w.wh)))
	for i := 0; i < len(w.wh); {
		n := i + 1
		for n < len(w.wh) && w.flags[n] == w.flags[i] {
			n++
		}
		e.b = append(e.b, w.flags[i])
		e.uint(uint64(n - i))
		switch values := w.wh[i:n]; {
		case w.flags[i]&cellKnown == 0:
		case w.flags[i]&cellRegister == 0:
			e.b = pack(e.b, addOne(values))
		default:
			e.uint(uint64(values[0]))
			e.b = pack(e.b, increments(values))
		}
		i = n
	}
}

// increments is how far each value but the first is on from the one before, small
// whichever way it goes: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4.
func increments(values []uint32) []uint32 {
	out := make([]uint32, len(values)-1)
	for i := range out {
		d := int32(values[i+1] - values[i])
		out[i] = uint32(d<<1 ^ d>>31)
	}
	return out
}

// sumUp turns increments, all but the first value, into what they were.
func sumUp(values []uint32) {
	for i := 1; i < len(values); i++ {
		s := values[i]
		values[i] = values[i-1] + (s>>1 ^ -(s & 1))
	}
}

// addOne makes ingest.NoValue, the largest, the smallest.
func addOne(values []uint32) []uint32 {
	out := slices.Clone(values)
	for i := range out {
		out[i]++
	}
	return out
}

func (d *decoder) window(w *window) {
	if d.version == 1 {
		d.windowV1(w)
		return
	}
	var head [3]tick
	d.fixed(&head)
	w.from, w.grid, w.newest = head[0], head[1], head[2]
	cells := d.uint()
	if d.err != nil || cells > uint64(longestLive) {
		d.err = errDamaged
		return
	}
	w.wh, w.flags = make([]uint32, cells), make([]uint8, cells)
	for i := uint64(0); i < cells; {
		if len(d.b) == 0 {
			d.err = errDamaged
			return
		}
		flags := d.b[0]
		d.b = d.b[1:]
		n := d.uint()
		if d.err != nil || n == 0 || n > cells-i {
			d.err = errDamaged
			return
		}
		values := w.wh[i : i+n]
		for range n {
			w.flags[i] = flags
			i++
		}
		switch {
		case flags&cellKnown == 0:
		case flags&cellRegister == 0:
			d.unpack(values)
			for j := range values {
				values[j]--
			}
		default:
			values[0] = uint32(d.uint())
			d.unpack(values[1:])
			sumUp(values)
		}
	}
}

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
func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) str(s string)  { e.uint(uint64(len(s))); e.b = append(e.b, s...) }

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

// home reads all of a home but its meters.
func (d *decoder) home(h *home) {
	if d.version == 1 {
		d.homeV1(h)
	} else {
		h.public = d.published()
		d.fixed(&h.fill)
		d.fixed(&h.rhythm)
		h.said.decode(d)
		h.states[settled].decode(d)
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

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.err, d.b = errDamaged, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) unpack(values []uint32) {
	rest, ok := unpack(d.b, values)
	if d.b = rest; !ok {
		d.err = errDamaged
	}
}

func (d *decoder) str() string {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.err = errDamaged
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}
