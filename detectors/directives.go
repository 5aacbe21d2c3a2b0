package detectors

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"weimang/ingest"
)

// said is what people have told of a home that can still matter: a fixed
// number of periods and outcomes, the last word counting where there are more.
// It lies beside the states, which go by event time: every copy comes by it
// when it reaches its times, in whatever order it and the readings came.
type said struct {
	Periods  [2]period
	Outcomes [2]outcome
}

// period is an absence, or a time in which nothing is to be told. Intervals
// that end after From and by Until lie in it.
type period struct {
	ID                  uint32 // of the directive, hashed; 0: none
	From, Until, Issued uint32 // ticks
	Mute                bool
}

// outcome is what was found when somebody looked.
type outcome struct {
	ID     uint32 // of the directive, hashed; 0: none
	At     uint32 // tick at which it was first said
	Issued uint32 // tick of the last word about it
	Cause  uint8  // position in ingest.OutcomeCauses
}

const openPeriod = math.MaxInt32

// retracted is the code of an outcome that was said by mistake.
var retracted = code(ingest.OutcomeCauses, ingest.OutcomeRetracted)

// never is later than any time of an area.
const never = tick(math.MaxInt32)

// heeded is what a state knows of the periods it has passed through.
type heeded struct {
	Over  uint32  // tick at which use ended what had been said before; 0: never
	Reset uint32  // end of the last absence after which detection began anew
	Used  float32 // hours of strong use in the present absence, slowly forgotten
}

// Use ends an absence when it adds up to more than usedHours: a neighbour who
// waters the plants does not, cooking does. It is forgotten within usedMemory.
const (
	usedHours  = 1
	usedWatts  = 300 // more than a lamp on a timer
	usedMemory = 6 * ticksAnHour
)

// muted reports whether a period mutes a kind: everything that is about a
// person who is there. A stove that burns in an empty home matters more than
// ever, and what a meter cannot mean is the operator's.
func muted(k Kind) bool {
	switch k {
	case NoSignOfLife, NotBack, Frozen, Shortfall, NightLife, Decline, SilentMeter:
		return true
	default:
		return false
	}
}

// lived reports whether a kind says how somebody lives, so that it can become
// the new usual.
func lived(k Kind) bool {
	switch k {
	case NoSignOfLife, Frozen, Shortfall, StuckOn, NightLife, Decline:
		return true
	default:
		return false
	}
}

// applyDirective takes in what somebody has said. An error is an
// *ingest.Rejection: the area does not know the household.
func (a *Area) applyDirective(d *ingest.Directive, out *Output) error {
	issued := tickOf(d.IssuedAt)
	if issued < epoch || issued >= lastTick {
		return ingest.Reject(ingest.BadTime, "issued_at", "%s lies outside all time", d.IssuedAt)
	}
	if d.Kind == ingest.ConsentWithdrawn || d.Kind == ingest.ConsentGiven {
		a.applyConsent(d, issued, out)
		return nil
	}
	i := a.homeOf(d.HouseholdID)
	if i < 0 {
		return ingest.Reject(ingest.UnknownHousehold, "household_id",
			"nothing has been heard of the household in this area yet; say it again when readings have come, and place the household in the area that its readings name")
	}
	h := a.homes[i]
	var changed tick // time after which it makes a difference
	switch d.Kind {
	case ingest.Outcome:
		cause := slices.Index(ingest.OutcomeCauses, d.Outcome)
		if cause < 0 {
			return ingest.Reject(ingest.BadField, "outcome", "unknown")
		}
		changed = h.say().found(outcome{ID: hash(d.ID), At: uint32(issued), Issued: uint32(issued), Cause: uint8(cause)})
	case ingest.Away, ingest.Mute:
		// What is settled cannot be told anew.
		from := max(tickOf(d.From), issued-ticksIn(a.p.UsualDelay+a.p.Window))
		p := period{ID: hash(d.ID), From: uint32(min(from, lastTick)), Until: openPeriod, Issued: uint32(issued), Mute: d.Kind == ingest.Mute}
		if !d.Until.IsZero() {
			p.Until = uint32(min(max(tickOf(d.Until), 0), lastTick))
		}
		changed = h.say().put(p, a.pos[settled])
	default:
		return ingest.Reject(ingest.BadField, "kind", "unknown")
	}
	if changed < a.pos[live] {
		a.change(max(changed, a.pos[settled]) + 1)
	}
	if h.res != nil {
		h.res.anew = true // where it has moved to, this counts too
	}
	return nil
}

func hash(id string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // a hash does not fail
	return h.Sum32() | 1
}

// standing is 0 of an empty place, 1 of a period that is over, 2 of one that
// still makes a difference.
func (p *period) standing(settledTo tick) int {
	switch {
	case p.ID == 0:
		return 0
	case tick(p.Until) <= settledTo:
		return 1
	default:
		return 2
	}
}

// put keeps a period in the place of the same directive, in an empty place, or in
// that of one that matters less: that is over, or was issued earlier. It returns
// the time after which this makes a difference. In which order periods came does
// not matter, since a home that moves brings old ones with it.
func (s *said) put(p period, settledTo tick) tick {
	matters := func(x, y *period) int {
		return cmp.Or(cmp.Compare(x.standing(settledTo), y.standing(settledTo)), cmp.Compare(x.Issued, y.Issued), cmp.Compare(x.ID, y.ID))
	}
	at := &s.Periods[0]
	for i := range s.Periods {
		if old := &s.Periods[i]; old.ID == p.ID || at.ID != p.ID && matters(old, at) < 0 {
			at = old
		}
	}
	if at.ID == p.ID && p.Issued < at.Issued || at.ID != p.ID && matters(&p, at) < 0 || *at == p {
		return never
	}
	from := tick(p.From)
	if at.ID != 0 { // it has stood until now
		from = min(from, tick(at.From))
	}
	*at = p
	slices.SortFunc(s.Periods[:], func(x, y period) int {
		return cmp.Or(cmp.Compare(y.Issued, x.Issued), cmp.Compare(y.ID, x.ID))
	})
	return from
}

// found keeps the last two outcomes. One that is said again stays where it was
// first said, with the cause said last. It returns the time after which this
// makes a difference.
func (s *said) found(o outcome) tick {
	for i := range s.Outcomes {
		old := &s.Outcomes[i]
		if old.ID != o.ID {
			continue
		}
		before := *old
		if o.Issued > old.Issued {
			old.Issued, old.Cause = o.Issued, o.Cause
		}
		if old.At = min(old.At, o.At); *old == before {
			return never
		}
		from := tick(old.At)
		s.sortOutcomes()
		return from
	}
	last := len(s.Outcomes) - 1
	lost := s.Outcomes[last]
	if lost.ID != 0 && o.At <= lost.At {
		return never
	}
	s.Outcomes[last] = o
	s.sortOutcomes()
	if lost.ID != 0 {
		return min(tick(lost.At), tick(o.At))
	}
	return tick(o.At)
}

// sortOutcomes puts the last first, and free places last.
func (s *said) sortOutcomes() {
	slices.SortFunc(s.Outcomes[:], func(x, y outcome) int {
		return cmp.Or(cmp.Compare(y.At, x.At), cmp.Compare(x.ID, y.ID))
	})
}

// covers reports whether the period stands at end for a state.
func (p *period) covers(st *homeState, end tick) bool {
	return tick(p.From) < end && end <= tick(p.Until) && (p.Mute || p.Issued >= st.Heeded.Over)
}

// at is the period that stands at end, an absence before a muting; nil: none.
func (s *said) at(st *homeState, end tick) *period {
	if s == nil { // as nearly always
		return nil
	}
	var found *period
	for i := range s.Periods {
		if p := &s.Periods[i]; p.ID != 0 && p.covers(st, end) && (found == nil || found.Mute) {
			found = p
		}
	}
	return found
}

// cause is what the end of an episode inside the period is put down to.
func (p *period) cause() Cause {
	if p.Mute {
		return CauseMuted
	}
	return CauseAway
}

// begin prepares an interval: after an absence detection begins anew.
func (s *said) begin(st *homeState, end tick) {
	if s == nil {
		return
	}
	for i := range s.Periods {
		p := &s.Periods[i]
		if p.ID != 0 && !p.Mute && p.From < p.Until && tick(p.Until) < end && p.Until > st.Heeded.Reset && p.Issued >= st.Heeded.Over {
			st.Heeded.Reset, st.Heeded.Used = p.Until, 0
			st.forget(tick(p.Until))
		}
	}
}

// forget drops the evidence about the person that was gathered before a
// moment. Every detector of a kind that is muted has its line here.
func (st *homeState) forget(at tick) {
	st.Life.restart(at)
	st.clearDay()
}

// heed applies what has been said to an interval that has been judged (or in
// which the home was not heard: o.length 0), and reports whether that has
// ended the open episode.
func (s *said) heed(st *homeState, o *observation, end tick) bool {
	if p := s.at(st, end); p != nil {
		if !p.Mute && st.usedAway(o, end, p) {
			return false
		}
		if !p.Mute && o.length != 0 {
			st.forget(end)
		}
		for i, k := range signalKinds {
			if muted(k) {
				st.Signals[i] = signal{}
			}
		}
		return muted(Kinds[st.Episode.Kind]) && st.finish(end, p.cause())
	}
	found := st.answered(s, end)
	if found == nil || ingest.OutcomeCauses[found.Cause] != ingest.OutcomeNewNormal || !lived(Kinds[st.Episode.Kind]) {
		return false
	}
	st.forget(end)
	for i, k := range signalKinds {
		if lived(k) {
			st.Signals[i] = signal{}
		}
	}
	return st.finish(end, CauseNewUsual)
}

// usedAway reports whether use has ended an absence that somebody has spoken
// of: only use after that, for what was known then counts as said.
func (st *homeState) usedAway(o *observation, end tick, p *period) bool {
	if o.length == 0 || end <= tick(p.Issued) {
		return false
	}
	hd := &st.Heeded
	hd.Used *= float32(math.Exp(-float64(o.length) / usedMemory))
	if end%2 == 0 && st.Life.Prev == levelHigh { // a half-hour ends here; an hour counts by its last
		hd.Used += float32(max(o.length, 2).hoursSince(0))
	}
	if hd.Used <= usedHours {
		return false
	}
	hd.Used, hd.Over = 0, uint32(end)
	return true
}

// finish ends the open episode for a reason of its own.
func (st *homeState) finish(end tick, why Cause) bool {
	ep := &st.Episode
	if !ep.Open {
		return false
	}
	ep.Open, ep.End, ep.EndCause = false, end, code(Causes, why)
	return true
}

// answered is the outcome given to the open episode, nil: none yet.
func (st *homeState) answered(s *said, end tick) *outcome {
	if s == nil {
		return nil
	}
	for i := range s.Outcomes {
		if o := &s.Outcomes[i]; o.ID != 0 && o.Cause != retracted && st.Episode.Open && tick(o.At) < end && tick(o.At) >= st.Episode.First {
			return o
		}
	}
	return nil
}

// learns reports whether what an interval shows may be taken for usual: not
// while nobody is there, and not what is alarmed on, unless it has lasted for
// long or somebody has found that all is well.
func (s *said) learns(st *homeState, end tick) bool {
	if p := s.at(st, end); p != nil && !p.Mute {
		return false
	}
	ep := &st.Episode
	switch kind := Kinds[ep.Kind]; {
	case !ep.Open || end-ep.Onset > learnAnyway, kind == SilentMeter, kind == Impossible:
		return true // of the last two nothing bad comes this far
	}
	found := st.answered(s, end)
	return found != nil && (ingest.OutcomeCauses[found.Cause] == ingest.OutcomeFalse || ingest.OutcomeCauses[found.Cause] == ingest.OutcomeNewNormal)
}

// excuse is the period to which an episode's disappearance is put down: it was
// told, and what was said since covers it. nil: later data it was.
func (s *said) excuse(told *published, now tick) *period {
	if s == nil {
		return nil
	}
	for i := range s.Periods {
		p := &s.Periods[i]
		if p.ID != 0 && tick(p.From) < now && tick(p.Until) > told.Onset && muted(Kinds[told.Kind]) {
			return p
		}
	}
	return nil
}

// end is when the period ends, zero: open.
func (p *period) end() time.Time {
	if p.Until == openPeriod {
		return time.Time{}
	}
	return tick(p.Until).time()
}

// words are the places in which something may have been said; few are taken.
func (s *said) words() []any {
	return []any{&s.Periods[0], &s.Periods[1], &s.Outcomes[0], &s.Outcomes[1]}
}

func (s *said) taken() (bits uint8) {
	for i, id := range []uint32{s.Periods[0].ID, s.Periods[1].ID, s.Outcomes[0].ID, s.Outcomes[1].ID} {
		if id != 0 {
			bits |= 1 << i
		}
	}
	return bits
}

// say is room for something to be said of the home.
func (h *home) say() *said {
	if h.said == nil {
		h.said = new(said)
	}
	return h.said
}

// wasSaid is all that has been said of the home.
func (h *home) wasSaid() said {
	if h.said == nil {
		return said{}
	}
	return *h.said
}

// A byte of bits tells which places follow.
func (s *said) encode(e *encoder) {
	if s == nil {
		e.b = append(e.b, 0)
		return
	}
	taken := s.taken()
	e.fixed(taken)
	for i, word := range s.words() {
		if taken&(1<<i) != 0 {
			e.fixed(word)
		}
	}
}

func (s *said) decode(d *decoder) {
	var taken uint8
	d.fixed(&taken)
	for i, word := range s.words() {
		if taken&(1<<i) != 0 {
			d.fixed(word)
		}
	}
	if d.err == nil && s.taken() != taken {
		d.err = errDamaged
	}
}

// sound: what a decoded home was told is in range.
func (s *said) sound() bool {
	if s == nil {
		return true
	}
	ok := true
	for i := range s.Outcomes {
		ok = ok && int(s.Outcomes[i].Cause) < len(ingest.OutcomeCauses)
	}
	return ok
}
