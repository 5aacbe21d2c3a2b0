package evaluate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"weimang/ingest"
	"weimang/ingest/feedfile"
	"weimang/ingest/intake"
)

// absent marks an interval of which no reading arrived; ingest.NoValue one
// whose reading arrived without value. Both stay as they are in every copy.
const absent = ingest.NoValue - 1

// home is one household's curve: the sum of its meters.
type home struct {
	id, meter, zone string
	meters          []string // all of its meters; meter is the first
	area            string   // by the roster, "" if it names none
	loc             *time.Location
	start           tick // start of the first interval
	step            tick // length of an interval
	wh              []uint32
	quality         []ingest.Quality // nil: all valid
	unit            uint32           // the meter's step, Wh
	bases           []*base          // by week
}

func measured(wh uint32) bool { return wh < absent }

func (h *home) end() tick                { return h.start + tick(len(h.wh))*h.step }
func (h *home) at(i int) tick            { return h.start + tick(i)*h.step } // start of interval i
func (h *home) index(t tick) int         { return int((t - h.start) / h.step) }
func (h *home) watts(wh float64) float64 { return wh / h.step.hours() }

// span is the part of the curve from one time to another, which must lie on
// the home's grid; what lies outside the curve is absent.
func (h *home) span(from, until tick) []uint32 {
	s := make([]uint32, (until-from)/h.step)
	for i := range s {
		s[i] = h.value(from + tick(i)*h.step)
	}
	return s
}

// value is the reading of the interval that begins at t.
func (h *home) value(t tick) uint32 {
	if t < h.start || t >= h.end() {
		return absent
	}
	return h.wh[h.index(t)]
}

// readHomes turns a feed into homes, in order of their ids. Registers become
// energy. Intervals are summed up to coarsen, unless that is 0.
func readHomes(feed *feedfile.Feed, roster intake.Roster, coarsen time.Duration) ([]*home, int, error) {
	byID := make(map[string]*home)
	unknown := 0
	for _, meter := range feed.Meters() {
		at, ok := firstHome(feed, roster, meter)
		if !ok {
			unknown++
			continue
		}
		h, err := readMeter(feed, &at)
		if err != nil {
			return nil, 0, err
		}
		if len(h.wh) == 0 {
			continue
		}
		if c := ticksIn(coarsen); c > h.step {
			h.coarsen(c)
		} else if c != 0 && c < h.step {
			return nil, 0, fmt.Errorf("meter %s reports every %s, which cannot be made %s", meter, h.step.duration(), coarsen)
		}
		if before, twice := byID[h.id]; twice {
			if h, err = before.join(h); err != nil {
				return nil, 0, err
			}
		}
		byID[h.id] = h
	}
	homes := make([]*home, 0, len(byID))
	for _, h := range byID {
		h.unit = unitOf(h.wh)
		homes = append(homes, h)
	}
	slices.SortFunc(homes, func(a, b *home) int { return strings.Compare(a.id, b.id) })
	return homes, unknown, nil
}

// firstHome is where a meter is when it is first heard, or comes to next.
func firstHome(feed *feedfile.Feed, roster intake.Roster, meter string) (ingest.Home, bool) {
	for row := range feed.Rows(meter) {
		h, ok := roster.Lookup(meter, row.Start)
		if !ok && !h.From.IsZero() {
			h, ok = roster.Lookup(meter, h.From)
		}
		return h, ok
	}
	return ingest.Home{}, false
}

func readMeter(feed *feedfile.Feed, at *ingest.Home) (*home, error) {
	loc, err := time.LoadLocation(at.Zone)
	if err != nil {
		return nil, fmt.Errorf("household %s: %w", at.HouseholdID, err)
	}
	h := &home{id: at.HouseholdID, meter: at.MeterID, meters: []string{at.MeterID}, zone: at.Zone, area: at.AreaID, loc: loc, step: ticksIn(feed.Interval(at.MeterID))}
	var register uint32
	registerAt := tick(-1)
	for row := range feed.Rows(at.MeterID) {
		start := tickOf(row.Start)
		if !row.Start.Equal(start.time()) || start%h.step != 0 {
			continue // no interval of the contract
		}
		if len(h.wh) == 0 {
			h.start = start
		}
		i := h.index(start)
		for len(h.wh) <= i {
			h.wh = append(h.wh, absent)
			if h.quality != nil {
				h.quality = append(h.quality, ingest.Valid)
			}
		}
		wh := row.Wh
		if row.Register && wh != ingest.NoValue {
			now := wh
			if wh = ingest.NoValue; registerAt == start && now >= register {
				wh = now - register
			}
			register, registerAt = now, start+h.step
		}
		if measured(h.wh[i]) && h.qualityAt(i).Rank() > row.Quality.Rank() {
			continue
		}
		h.wh[i] = wh
		if row.Quality != ingest.Valid && h.quality == nil {
			h.quality = make([]ingest.Quality, len(h.wh))
		}
		if h.quality != nil {
			h.quality[i] = row.Quality
		}
	}
	return h, nil
}

func (h *home) qualityAt(i int) ingest.Quality {
	if h.quality == nil {
		return ingest.Valid
	}
	return h.quality[i]
}

// coarsen sums intervals up; one with a missing part is missing.
func (h *home) coarsen(step tick) {
	n := int(step / h.step)
	from := h.start - h.start%step
	out := home{start: from, step: step}
	for t := from; t+step <= h.end(); t += step {
		sum, q, got, known := uint64(0), ingest.Valid, 0, false
		for i := range n {
			at := t + tick(i)*h.step
			wh := h.value(at)
			known = known || wh != absent
			if measured(wh) {
				got++
				sum += uint64(wh)
				if w := h.qualityAt(h.index(at)); w.Rank() < q.Rank() {
					q = w
				}
			}
		}
		wh := uint32(min(sum, absent-1))
		switch {
		case !known:
			wh = absent
		case got < n:
			wh = ingest.NoValue
		}
		out.wh = append(out.wh, wh)
		if h.quality != nil {
			out.quality = append(out.quality, q)
		}
	}
	h.start, h.step, h.wh, h.quality = out.start, out.step, out.wh, out.quality
}

// errSteps is the error of a household whose meters cannot be added up.
var errSteps = errors.New("its meters report at different intervals; use --interval to bring them to the longer one")

// join adds another meter of the same household; where one is missing, the
// sum is.
func (h *home) join(o *home) (*home, error) {
	if h.step != o.step {
		return nil, fmt.Errorf("household %s: %w", h.id, errSteps)
	}
	sum := *h
	sum.start, sum.quality = max(h.start, o.start), nil
	sum.wh, sum.meters = nil, append(slices.Clone(h.meters), o.meters...)
	for t := sum.start; t < min(h.end(), o.end()); t += h.step {
		a, b := h.value(t), o.value(t)
		wh := uint32(ingest.NoValue)
		switch {
		case a == absent || b == absent:
			wh = absent
		case measured(a) && measured(b):
			wh = min(a+b, absent-1)
		}
		sum.wh = append(sum.wh, wh)
		if h.quality != nil || o.quality != nil {
			q, other := h.qualityAt(h.index(t)), o.qualityAt(o.index(t))
			if other.Rank() < q.Rank() {
				q = other
			}
			sum.quality = append(sum.quality, q)
		}
	}
	return &sum, nil
}

// unitOf is the meter's step: the largest round number of Wh of which nearly
// all values are multiples.
func unitOf(wh []uint32) uint32 {
	for _, unit := range []uint32{1000, 500, 200, 100, 50, 20, 10, 5, 2} {
		n, fit := 0, 0
		for _, v := range wh {
			if measured(v) && v != 0 {
				n++
				if v%unit == 0 {
					fit++
				}
			}
		}
		if n >= 100 && float64(fit) >= 0.995*float64(n) {
			return unit
		}
	}
	return 1
}
