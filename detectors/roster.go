package detectors

import (
	"slices"
	"strings"

	"weimang/ingest"
)

// The roster tells an area who is in it, with which meters and when. It takes
// effect in event time, so that a state computed again comes to the same:
// before its date a home or a meter is not there, nor after it. Homes of which
// no roster has spoken are there whenever they are heard.

// stay is a time of a home in this area, and the area in which it goes on; "":
// nowhere.
type stay struct {
	span
	to   string
	left *moved // what the home was at its end, once live has come to it
	anew bool   // it has been looked at again since it was given
	gave handed // what the other area was told of that
}

// zoneChange is a zone that counts from a time on.
type zoneChange struct {
	from tick
	zone *zone
}

// residence is what the roster has said of a home beyond that it is there.
type residence struct {
	stays []stay       // by time; nil: always
	zones []zoneChange // by time
	took  handed       // what the area said from which it came last
	join  *moved       // with which its steps here begin then; nil: with nothing
	anew  bool         // something has come for it since it was given
}

// exchangeGap is how long a home may be without a meter and has not left.
const exchangeGap = ticksADay

// clockUnknown stands for the time of an entry that was written before any
// clock was known, as at the begin of a replayed feed.
const clockUnknown = tick(1)

// holds reports whether the roster has the meter at its home in the interval
// that ends at end.
func (m *meter) holds(end tick) bool {
	return m.spans == nil || slices.ContainsFunc(m.spans, func(s span) bool { return s.holds(end) })
}

// here reports whether the home is in this area in the interval that ends at
// end.
func (h *home) here(end tick) bool {
	return h.res == nil || h.res.stays == nil || slices.ContainsFunc(h.res.stays, func(s stay) bool { return s.holds(end) })
}

// gone is the stay after which the home is not in this area at a time; nil: it
// is there, or has not come yet.
func (h *home) gone(now tick) *stay {
	if h.res == nil {
		return nil
	}
	var last *stay
	for i := range h.res.stays {
		switch s := &h.res.stays[i]; {
		case s.Until <= now:
			last = s
		case s.From <= now:
			return nil
		}
	}
	return last
}

// silenced reports whether nothing is to be said of the home here: it has left,
// or another area says it and has not given it back.
func (h *home) silenced(now tick) bool {
	if h.res != nil && slices.ContainsFunc(h.res.stays, func(s stay) bool { return s.gave.At > h.res.took.At }) {
		return true
	}
	s := h.gone(now)
	return s != nil && s.to == ""
}

// done reports whether nothing is left to do once the stay is over.
func (s *stay) done() bool { return s.to == "" || s.gave.At != 0 }

// zoneAt is the zone in which the home lives at a time.
func (h *home) zoneAt(t tick) *zone {
	z := h.zone
	if h.res != nil {
		for _, c := range h.res.zones {
			if c.from <= t {
				z = c.zone
			}
		}
	}
	return z
}

// rare is the home's residence, made when it is new.
func (h *home) rare() *residence {
	if h.res == nil {
		h.res = new(residence)
	}
	return h.res
}

// place is where a home stands, or would stand, among those of the area.
func (a *Area) place(household string) (i int, known bool) {
	return slices.BinarySearchFunc(a.homes, household, func(h *home, id string) int { return strings.Compare(h.id, id) })
}

// find is a home of the area, nil: it is not known.
func (a *Area) find(household string) *home {
	i, ok := a.place(household)
	if !ok {
		return nil
	}
	return a.homes[i]
}

// add takes a home in that is not known yet.
func (a *Area) add(household string, z *zone) *home {
	i, _ := a.place(household)
	h := &home{id: strings.Clone(household), zone: z}
	a.homes = slices.Insert(a.homes, i, h)
	a.scan, a.last = 0, i
	return h
}

// applyResidence takes in what the roster says of a household. An error is an
// *ingest.Rejection: a zone does not exist, or a time lies outside all time.
// The same said again changes nothing.
func (a *Area) applyResidence(r *ingest.Residence, out *Output) error {
	meters, stays, zones, err := a.plan(r)
	if err != nil {
		return err
	}
	if a.withdrawn(r.HouseholdID) {
		a.passOnConsent(r.HouseholdID, stays, out)
		return nil
	}
	h := a.find(r.HouseholdID)
	if h == nil {
		if len(stays) == 0 || stays[len(stays)-1].Until <= a.kept(a.ticks.now) {
			return nil // it is over and nothing is known of it
		}
		h = a.add(r.HouseholdID, zones[0].zone)
	}
	if h.since == 0 && len(stays) > 0 {
		h.since = min(max(clockUnknown, a.ticks.now), lastTick)
	}
	changed := min(h.assign(a, meters), h.stayOn(a, stays), h.liveIn(a, zones))
	if changed < a.pos[live] {
		a.changeHome(h, max(changed, a.pos[settled])+1)
	}
	a.scan = 0
	a.findPassing()
	return nil
}

// passOnConsent tells the areas to which a household moves that it does not want
// to be watched.
func (a *Area) passOnConsent(household string, stays []stay, out *Output) {
	i, _ := a.consentOf(household)
	for _, s := range stays {
		if s.to != "" {
			out.Handovers = append(out.Handovers, ingest.Input{AreaID: s.to, Clock: a.clock, Directive: &ingest.Directive{
				ID: "moved", HouseholdID: household, Kind: ingest.ConsentWithdrawn, IssuedAt: tick(a.consents[i].Issued).time(),
			}})
		}
	}
}

// changeHome is change where the cause lies in one home.
func (a *Area) changeHome(h *home, end tick) {
	a.change(end)
	if h.changed == 0 || end < h.changed {
		h.changed = end
	}
}

// plan turns an entry into when each meter is at the home, when the home is
// here, and which zones it lives in, at least one of them if it is ever here.
func (a *Area) plan(r *ingest.Residence) (meters map[string][]span, stays []stay, zones []zoneChange, err error) {
	meters = make(map[string][]span)
	for i := range r.Stays {
		in := &r.Stays[i]
		s := span{Until: never}
		if !in.From.IsZero() {
			s.From = tickOf(in.From).floor(longestInterval)
		}
		if !in.Until.IsZero() {
			s.Until = tickOf(in.Until).floor(longestInterval)
		}
		if s.From < 0 || s.From >= lastTick || s.Until < s.From || s.Until >= lastTick && s.Until != never {
			return nil, nil, nil, ingest.Reject(ingest.BadTime, "stays", "meter %s of household %s: from %s until %s", in.MeterID, r.HouseholdID, in.From, in.Until)
		}
		z, err := a.zoneOf(in.Zone)
		if err != nil {
			return nil, nil, nil, ingest.Reject(ingest.BadField, "zone", "household %s: %v", r.HouseholdID, err)
		}
		if in.MeterID == "" {
			return nil, nil, nil, ingest.Reject(ingest.NoMeter, "stays", "household %s", r.HouseholdID)
		}
		to := in.To
		if to == a.id {
			to = ""
		}
		meters[in.MeterID] = append(meters[in.MeterID], s)
		stays = append(stays, stay{span: s, to: strings.Clone(to)})
		zones = append(zones, zoneChange{s.From, z})
	}
	for id, spans := range meters {
		meters[id] = merge(spans)
	}
	slices.SortStableFunc(stays, func(x, y stay) int { return int(x.From - y.From) })
	slices.SortStableFunc(zones, func(x, y zoneChange) int { return int(x.from - y.from) })
	return meters, bridge(stays), zones, nil
}

// assign brings the home's meters in line with the roster. A meter that it does
// not name is there no more from now on. It returns the time after which this
// makes a difference.
func (h *home) assign(a *Area, meters map[string][]span) tick {
	changed := never
	for _, m := range h.meters {
		spans, named := meters[m.id]
		if named {
			spans = whole(spans)
		} else {
			spans = upTo(m.spans, a.now())
		}
		changed = min(changed, difference(m.spans, spans, a.pos[settled]))
		m.spans = spans
	}
	for id, spans := range meters {
		if !slices.ContainsFunc(h.meters, func(m *meter) bool { return m.id == id }) {
			a.meterOf(h, id).spans = whole(spans)
		}
	}
	return changed
}

// now is the clock's hour, the finest that the roster knows.
func (a *Area) now() tick {
	return min(max(0, a.ticks.now).floor(longestInterval), lastTick-longestInterval)
}

// stayOn brings the home's stays in line with the roster; none: it is not here
// from now on. It returns the time after which this makes a difference.
func (h *home) stayOn(a *Area, stays []stay) tick {
	var was []stay
	if h.res != nil {
		was = h.res.stays
	}
	old := spansOf(was)
	gone := len(stays) == 0
	if gone {
		for _, s := range upTo(old, a.now()) {
			stays = append(stays, stay{span: s})
		}
	}
	goes := never
	known := func(s stay) bool { return slices.ContainsFunc(was, func(o stay) bool { return o.Until == s.Until }) }
	for len(stays) > 1 && stays[0].Until <= a.pos[settled] && !known(stays[0]) {
		stays = stays[1:] // done with, or too old to matter to who is here again
	}
	for i := range stays { // of those that are known, so is what became of them
		s := &stays[i]
		if j := slices.IndexFunc(was, func(o stay) bool { return o.Until == s.Until && (o.to == s.to || gone) }); j >= 0 {
			s.to, s.left, s.anew, s.gave = was[j].to, was[j].left, was[j].anew, was[j].gave
		}
		switch {
		case s.to == "" || s.left != nil || s.gave.At != 0:
		case s.Until <= a.pos[settled]:
			s.left = a.snapshot(h, settled, a.pos[settled]) // the date has been told too late for more
		default:
			goes = min(goes, s.Until-1) // what it was then nobody has kept, if it seemed to go nowhere
		}
	}
	spans := whole(spansOf(stays))
	if spans == nil {
		if was != nil {
			h.res.stays = nil
		}
		return difference(old, nil, a.pos[settled])
	}
	h.rare().stays = stays
	return min(goes, difference(old, spans, a.pos[settled]))
}

// liveIn brings the home's zones in line with the roster. One zone without a
// date that is not the present one counts from now on. It returns the time after
// which this makes a difference.
func (h *home) liveIn(a *Area, zones []zoneChange) tick {
	if len(zones) == 0 {
		return never
	}
	base := zones[0].zone
	var changes []zoneChange
	for last, i := base, 1; i < len(zones); i++ {
		if z := zones[i].zone; !z.is(last) {
			changes, last = append(changes, zones[i]), z
		}
	}
	was := zoneChange{0, h.zone}
	var known []zoneChange
	if h.res != nil {
		known = h.res.zones
	}
	if len(changes) == 0 {
		if h.zoneAt(never).is(base) {
			return never
		}
		now := a.now()
		changes = append(slices.DeleteFunc(slices.Clone(known), func(c zoneChange) bool { return c.from >= now }), zoneChange{now, base})
		base = h.zone
	}
	next := &home{zone: base, res: &residence{zones: changes}}
	changed := never
	for _, c := range slices.Concat([]zoneChange{was}, known, changes) {
		if at := max(c.from, a.pos[settled]); !h.zoneAt(at).is(next.zoneAt(at)) {
			changed = min(changed, at)
		}
	}
	if changed != never {
		h.zone, h.rare().zones = base, changes
	}
	return changed
}

// is reports whether two zones have one name.
func (z *zone) is(o *zone) bool { return z == o || z.loc.String() == o.loc.String() }

// miss judges whether a home is missed that the roster names and nobody has ever
// heard: its neighbours must have been heard for a day.
func (a *Area) miss(h *home, end tick, alone bool) {
	st := &h.live
	if h.said.at(st, end) != nil {
		return
	}
	sig := &st.Signals[sigSilent]
	since := max(h.since, tick(st.Heeded.Reset))
	if h.res != nil {
		for _, s := range h.res.stays {
			if s.holds(end) {
				since = max(since, s.From)
			}
		}
	}
	if since == clockUnknown {
		since = end - silentYellow
	}
	given := !st.Episode.Open && Causes[st.Episode.Cause] == CauseNeverHeard // up: nobody waits for it any more
	switch {
	case sig.Severity != 0 && end-sig.At >= silentParked:
		*sig = signal{}
		if st.arbitrate(end, a.p.FullDays); !st.Episode.Open && st.Episode.End == end {
			st.Episode.EndCause = code(Causes, CauseOver)
		}
	case sig.Severity == 0 && alone && !given && end-since >= silentYellow:
		*sig = signal{Severity: Yellow, Cause: code(Causes, CauseNeverHeard), Onset: since, At: end, Hours: float32(end.hoursSince(since))}
		st.arbitrate(end, a.p.FullDays)
	}
	if sig.Severity != 0 {
		a.unheard++
	}
}
