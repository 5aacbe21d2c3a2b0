package fit

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Sample is what the pooled models see of a home at one moment.
type Sample struct {
	At     time.Time
	Silent float64   // hours since the last sign of use
	Life   []float32 // inputs of the life model, nil: none at this moment
	Level  int       // the class of use that they go with
	Day    []float32 // features of the last day, nil: none at this moment
}

// CollectOptions says which samples are learned from. Start from
// DefaultCollectOptions.
type CollectOptions struct {
	Warmup time.Duration // of each home's samples nothing is learned before
	// From and Until are the times after an event's onset between which its
	// hours stand for it.
	From, Until time.Duration
	// A silence of Silence and more is no ordinary time: most likely nobody
	// was there. Nor are the days that reach back into one: those that end
	// less than After after it.
	Silence, After time.Duration
}

// DefaultCollectOptions leave an event most of a day to show.
func DefaultCollectOptions() CollectOptions {
	return CollectOptions{
		Warmup: 42 * 24 * time.Hour, From: 18 * time.Hour, Until: 36 * time.Hour, Silence: 12 * time.Hour, After: 36 * time.Hour,
	}
}

// Collector gathers samples of homes as they were and of cases, and makes sets
// of them. Its tracks may be filled by several goroutines, each track by one.
type Collector struct {
	opt    CollectOptions
	mu     sync.Mutex
	tracks []*Track
}

// NewCollector gathers nothing yet.
func NewCollector(opt CollectOptions) *Collector { return &Collector{opt: opt} }

// Case is an injected event.
type Case struct {
	Class  string // of the day model
	Label  string // what exactly happened
	Number int    // among those of the home and label
	Onset  time.Time
}

// Track is the samples of one home, as it was or in one case.
type Track struct {
	opt   *CollectOptions
	home  string
	event *Case // nil: as it was

	first time.Time // sample of the home
	life  moments
	day   moments
	quiet []span
}

// moments is samples of one model, in order of time.
type moments struct {
	at     []time.Time
	x      []float32
	inputs int
	level  []int
}

func (m *moments) add(at time.Time, x []float32, level int) {
	if len(m.at) > 0 && !at.After(m.at[len(m.at)-1]) {
		return // decided again
	}
	m.inputs = len(x)
	m.at, m.x, m.level = append(m.at, at), append(m.x, x...), append(m.level, level)
}

func (m *moments) row(i int) []float32 { return m.x[i*m.inputs : (i+1)*m.inputs] }

// span is a silence.
type span struct{ from, until time.Time }

// Untouched is the track of a home in which nothing was injected; there is one
// a home.
func (c *Collector) Untouched(home string) *Track { return c.track(home, nil) }

// Case is the track of a copy of a home in which something was injected.
func (c *Collector) Case(home string, event Case) *Track { return c.track(home, &event) }

func (c *Collector) track(home string, event *Case) *Track {
	t := &Track{opt: &c.opt, home: home, event: event}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tracks = append(c.tracks, t)
	return t
}

// Add takes a sample and keeps nothing of it. Samples come in order of time;
// of two of one time the first counts.
func (t *Track) Add(s *Sample) {
	if t.event != nil {
		after := s.At.Sub(t.event.Onset)
		if s.Day != nil && after >= t.opt.From && after <= t.opt.Until {
			t.day.add(s.At, s.Day, 0)
		}
		return
	}
	if t.first.IsZero() {
		t.first = s.At
	}
	if silent := time.Duration(s.Silent * float64(time.Hour)); silent >= t.opt.Silence {
		now := span{s.At.Add(-silent), s.At}
		if n := len(t.quiet); n > 0 && !now.from.After(t.quiet[n-1].until) {
			t.quiet[n-1].until = now.until
		} else {
			t.quiet = append(t.quiet, now)
		}
	}
	if s.At.Sub(t.first) < t.opt.Warmup {
		return
	}
	if s.Life != nil {
		t.life.add(s.At, s.Life, s.Level)
	}
	if s.Day != nil {
		t.day.add(s.At, s.Day, 0)
	}
}

// ordinary reports whether a time is neither in a silence nor so soon after
// one.
func (t *Track) ordinary(at time.Time, soon time.Duration) bool {
	for _, q := range t.quiet {
		if at.After(q.from) && !at.After(q.until.Add(soon)) {
			return false
		}
	}
	return true
}

// inOrder sorts the tracks so that what is made of them does not depend on
// who was first, and numbers the homes.
func (c *Collector) inOrder() ([]*Track, map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.SortFunc(c.tracks, func(a, b *Track) int {
		var x, y Case
		if a.event != nil {
			x = *a.event
		}
		if b.event != nil {
			y = *b.event
		}
		return cmp.Or(cmp.Compare(a.home, b.home), cmp.Compare(x.Label, y.Label), cmp.Compare(x.Number, y.Number))
	})
	homes := make(map[string]int)
	for _, t := range c.tracks {
		if _, ok := homes[t.home]; !ok {
			homes[t.home] = len(homes)
		}
	}
	return c.tracks, homes
}

// Life is the set of the life model: the classes are levels of use, the rows
// ordinary times of untouched homes.
func (c *Collector) Life() *Set {
	tracks, homes := c.inOrder()
	set := new(Set)
	for _, t := range tracks {
		for i, at := range t.life.at {
			if t.ordinary(at, 0) {
				set.Add(t.life.row(i), t.life.level[i], homes[t.home], 1)
			}
		}
	}
	return set
}

// Ordinary is the class of the day model that is no event.
const Ordinary = "ordinary"

// Days is the set of the day model, with what its rows stand for.
type Days struct {
	Set
	Classes []string
	At      []time.Time // of each row
	Case    []int       // of each row, in Cases; -1: untouched
	Cases   []Case
}

// Days makes the set of the day model, features in their quadratic terms.
// Hours of untouched homes are Ordinary, which must be one of the classes;
// those that are not ordinary times weigh nothing. Cases of other classes are
// left out.
func (c *Collector) Days(classes []string) *Days {
	tracks, homes := c.inOrder()
	d := &Days{Classes: classes}
	var row []float32
	for _, t := range tracks {
		y, number := slices.Index(classes, Ordinary), -1
		if t.event != nil {
			if y = slices.Index(classes, t.event.Class); y < 0 {
				continue
			}
			number = len(d.Cases)
			d.Cases = append(d.Cases, *t.event)
		}
		for i, at := range t.day.at {
			weight := float32(1)
			if t.event == nil && !t.ordinary(at, t.opt.After) {
				weight = 0
			}
			row = Quadratic(row[:0], t.day.row(i))
			d.Add(row, y, homes[t.home], weight)
			d.At, d.Case = append(d.At, at), append(d.Case, number)
		}
	}
	return d
}
