package chaos

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/simulate"
	"weimang/ingest/stream"
)

// The feed's rhythm. A home's readings may be delayed by disorder without being
// late: usualDelay is more. Late ones come up to latest after their end, which
// is within the window still.
const (
	interval   = 30 * time.Minute
	usualDelay = 2 * time.Hour
	disorder   = time.Hour
	latest     = 90 * time.Hour
)

// Days of the feed. Homes are known well before the first round, and at the
// end nothing happens until everything disturbed is settled (detectors/marks.go:
// the usual delay, the window, two hours and a step of a third of them).
const (
	warmUpDays = 16
	quietDays  = 7
)

// Rates of what happens, a home or an area and day.
const (
	troubleRate = 0.2
	outageRate  = 0.25
	wordRate    = 0.05
)

// wordGap is how many halves of a day lie between two words about a household. Of
// each sort a home keeps two: a third that came sooner would take the place of one
// that can still change what its area has handed over, maybe too late.
const wordGap = 9

// feed is what is sent: a day a round, with more before and after.
type feed struct {
	village *simulate.Village
	homes   []ingest.Home // that are there from the begin
	days    []day
	moved   map[string]bool        // households that are in more than one area, one after the other
	leaves  map[string][]time.Time // when homes go on elsewhere, by the area they leave
	joins   map[string][]time.Time // the same, by the area to which they come
}

// day is what is sent in one go. Between its halves, and behind them, come what
// the grid and people say; each waits until ingest has what was sent before,
// since topics have no common order.
type day struct {
	halves [2]half
}

type half struct {
	readings []reading // in order of interval end
	words    []word    // known at the half's end
}

// reading is one block on its way.
type reading struct {
	ingest.Block
	at time.Time // feed's clock at which it comes
}

// word is an incident, a directive, or what the roster says of a meter.
type word struct {
	topic string
	key   string
	value []byte
	kind  Kind // the change of the roster that it is; "": none, or a part of one
}

// kinds of what is wrong with a home for a while.
const (
	still  = iota // as if nobody moved
	strong        // something strong is left on
	silent        // no readings
	troubles
)

// trouble is one of these.
type trouble struct {
	kind        int
	from, until time.Time
}

// makeFeed makes up the feed of a run.
func makeFeed(opts *Options) (*feed, error) {
	homes, areas, rounds := opts.Homes, opts.Areas, opts.Rounds
	rng := rand.New(rand.NewPCG(opts.Seed, 1)) //nolint:gosec // made-up data
	o := simulate.DefaultOptions()
	o.Seed, o.Households, o.Areas, o.Interval = opts.Seed, homes, areas, interval
	o.MissingRate = 0 // silences are made here, so that none ends in the moment in which it would be told
	first := warmUpDays
	days := first + rounds + quietDays
	o.Start = time.Date(2026, time.June, 1, 0, 0, 0, 0, o.Start.Location())
	o.End = o.Start.AddDate(0, 0, days)
	f := &feed{days: make([]day, days)}

	at := func(day int, hour float64) time.Time {
		return o.Start.Add(time.Duration((float64(day)*24 + hour) * float64(time.Hour))).Truncate(time.Minute)
	}
	for d := first; d < first+rounds; d++ {
		for area := range areas {
			if rng.Float64() >= outageRate {
				continue
			}
			from := at(d, 2+rng.Float64()*14)
			until := from.Add(time.Duration(40+rng.IntN(240)) * time.Minute)
			o.Events = append(o.Events, simulate.Outage{Area: simulate.AreaID(area), From: from, Until: until})
			if rng.IntN(2) == 0 {
				o.Events = append(o.Events, simulate.Announcement{
					Area: simulate.AreaID(area), PublishedAt: at(d-1, 5+rng.Float64()*16), From: from, Until: until,
				})
			}
			if rng.IntN(2) == 0 {
				home := area*homes/areas + rng.IntN(homes/areas)
				o.Events = append(o.Events, simulate.NotBack{
					Household: simulate.HouseholdID(home), From: until, Until: until.Add(time.Duration(3+rng.IntN(9)) * time.Hour),
				})
			}
		}
	}
	var err error
	if f.village, err = simulate.New(o); err != nil {
		return nil, fmt.Errorf("make up a feed: %w", err)
	}
	roster := f.move(opts, first)
	roster.moved()
	all := make(map[string][]trouble) // by meter
	index := make(map[string]int)     // of a household, by the meter it has in the village
	for i, h := range f.village.Homes() {
		index[h.MeterID] = i
		for d := first; d < first+rounds; d++ {
			if rng.Float64() < troubleRate {
				from := at(d, rng.Float64()*24)
				all[h.MeterID] = append(all[h.MeterID], trouble{
					kind: rng.IntN(troubles), from: from, until: from.Add(time.Duration(9+rng.IntN(24)) * time.Hour),
				})
			}
		}
	}
	for b := range f.village.Blocks(time.Time{}, time.Time{}) {
		half := int((b.End().Sub(o.Start) - 1) / (12 * time.Hour))
		if suffer(&b, all[b.MeterID]) || roster.send(&b, index[b.MeterID], half) {
			continue
		}
		h := &f.days[half/2].halves[half%2]
		h.readings = append(h.readings, reading{b, b.End()})
	}
	f.say(rng, first, rounds, roster)
	return f, nil
}

// suffer changes a reading by what is wrong with the home, and reports whether
// it does not come at all.
func suffer(b *ingest.Block, troubles []trouble) (lost bool) {
	for _, t := range troubles {
		if b.Start.Before(t.from) || !b.Start.Before(t.until) {
			continue
		}
		switch t.kind {
		case still:
			b.KWh[0] = min(b.KWh[0], 0.02)
		case strong:
			b.KWh[0] += 0.6
		case silent:
			return true
		}
	}
	return false
}

// say puts in what the grid and people say.
func (f *feed) say(rng *rand.Rand, first, rounds int, roster *movers) {
	start := f.village.Options().Start
	put := func(half int, w word) {
		h := &f.days[half/2].halves[half%2]
		h.words = append(h.words, w)
	}
	for _, report := range f.village.Reports() {
		half := int(report.KnownAt().Sub(start) / (12 * time.Hour))
		put(half, word{topic: ingest.TopicIncidents, key: report.ID, value: contract.EncodeReport(&report)})
	}
	last := make(map[string]int)
	for half := first * 2; half < (first+rounds)*2; half++ {
		for i, home := range f.village.Homes() {
			if rng.Float64() >= wordRate {
				continue
			}
			d := ingest.Directive{
				ID: fmt.Sprintf("d-%d-%d", half, i), HouseholdID: home.HouseholdID, IssuedAt: f.end(half/2, half%2).UTC(),
				Kind: []ingest.DirectiveKind{ingest.Away, ingest.Mute, ingest.Outcome}[rng.IntN(3)],
			}
			if d.Kind == ingest.Outcome {
				d.Outcome = ingest.OutcomeCauses[rng.IntN(len(ingest.OutcomeCauses))]
			} else {
				d.From = d.IssuedAt.Add(-time.Duration(rng.IntN(20)) * time.Hour)
				d.Until = d.IssuedAt.Add(time.Duration(6+rng.IntN(40)) * time.Hour)
			}
			if said, ok := last[d.HouseholdID]; roster.households[i].listed(half) && (!ok || half-said >= wordGap) {
				last[d.HouseholdID] = half
				put(half, word{topic: ingest.TopicDirectives, key: d.HouseholdID, value: contract.EncodeDirective(&d)})
			}
		}
	}
}

// sender sends the halves of a feed, one after the other, in another order.
type sender struct {
	feed   *feed
	rng    *rand.Rand
	kinds  []Kind
	late   map[string]bool      // areas in which readings come late
	held   []reading            // that are late, by when they come
	last   map[string]time.Time // when a meter's newest reading has come
	until  time.Time            // what comes after it is in order
	counts map[Kind]int
}

// Shares of readings that come twice or late, and of spells of a meter in which
// all come with a delay.
const (
	duplicateShare = 0.05
	lateShare      = 0.01
	delayShare     = 0.2
	spell          = 3 * time.Hour
)

func newSender(o *Options, f *feed) *sender {
	s := &sender{
		feed: f, rng: rand.New(rand.NewPCG(o.Seed, 5)), //nolint:gosec // a disorder
		until: f.end(warmUpDays+o.Rounds-1, 1),
		kinds: o.kinds(), late: make(map[string]bool), last: make(map[string]time.Time), counts: make(map[Kind]int),
	}
	if slices.Contains(s.kinds, LateInput) {
		for i := range o.Areas / 3 {
			s.late[simulate.AreaID(o.Areas-1-i)] = true
		}
	}
	return s
}

// inHand is what the latest readings leave of the window where a home moves:
// what comes of them must reach its new area before the date is settled there,
// and one area may be a day of the feed ahead of another.
const inHand = 24 * time.Hour

// leavesSoon reports whether some home goes on in another area within inHand.
func (f *feed) leavesSoon(area string, at time.Time) bool {
	return slices.ContainsFunc(f.leaves[area], func(date time.Time) bool {
		return !date.Before(at) && date.Sub(at) < inHand
	})
}

// end is when a half (0 or 1) of a day (from 0) ends.
func (f *feed) end(day, half int) time.Time {
	return f.village.Options().Start.Add(time.Duration(2*day+half+1) * 12 * time.Hour)
}

// half returns the readings of a half, and late ones from before, as they come:
// homes overtake each other (ReorderInput), some readings come a second time
// (DuplicateInput), and in some areas single ones behind newer ones of their
// own home (LateInput). Only late ones leave their half.
func (s *sender) half(h *half, end time.Time) []reading {
	does := func(k Kind, share float64) bool {
		return s.rng.Float64() < share && slices.Contains(s.kinds, k) && !end.After(s.until)
	}
	for _, w := range h.words {
		if w.kind != "" {
			s.counts[w.kind]++
		}
	}
	var out []reading
	delays := make(map[string]time.Duration) // by meter and spell
	for _, r := range h.readings {
		id := fmt.Sprint(r.MeterID, r.at.Truncate(spell).Unix())
		if _, drawn := delays[id]; !drawn {
			delays[id] = 0
			if does(ReorderInput, delayShare) {
				delays[id] = time.Duration(1+s.rng.Int64N(int64(disorder/time.Minute))) * time.Minute
			}
		}
		r.at = r.at.Add(delays[id])
		switch {
		case s.late[r.AreaID] && does(LateInput, lateShare):
			late := usualDelay + time.Duration(s.rng.Int64N(int64(latest-usualDelay-disorder)))
			if s.feed.leavesSoon(r.AreaID, r.End()) {
				late = min(late, latest-inHand)
			}
			r.at = r.at.Add(late)
			s.counts[LateInput]++
			s.held = append(s.held, r)
			continue
		case delays[id] > 0:
			s.counts[ReorderInput]++
		}
		if r.at.Before(s.last[r.MeterID]) {
			r.at = s.last[r.MeterID]
		}
		s.last[r.MeterID] = r.at
		out = append(out, r)
		if does(DuplicateInput, duplicateShare) {
			r.at = r.at.Add(time.Duration(s.rng.Int64N(int64(6 * time.Hour))))
			out = append(out, r)
			s.counts[DuplicateInput]++
		}
	}
	s.held = slices.DeleteFunc(s.held, func(r reading) bool {
		due := r.at.Before(end)
		if due {
			out = append(out, r)
		}
		return due
	})
	slices.SortStableFunc(out, func(a, b reading) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	return out
}

// clocked writes records with the feed's clock on them: the largest interval
// end sent so far.
type clocked struct{ clock time.Time }

func (c *clocked) header() []kafka.Header {
	return []kafka.Header{{Key: ingest.FeedClockHeader, Value: []byte(c.clock.UTC().Format(time.RFC3339Nano))}}
}

// readings are records of weimang.readings, keyed by area so that an area's
// keep their order.
func (c *clocked) readings(list []reading) []stream.Record {
	recs := make([]stream.Record, len(list))
	for i := range list {
		b := &list[i].Block
		if end := b.End(); end.After(c.clock) {
			c.clock = end
		}
		recs[i] = stream.Record{Key: []byte(b.AreaID), Value: contract.EncodeJSON(b), Headers: c.header()}
	}
	return recs
}
