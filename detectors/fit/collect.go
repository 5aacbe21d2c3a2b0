package fit

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"weimang/detectors"
)

// CollectOptions says which samples are learned from. Start from
// DefaultCollectOptions.
type CollectOptions struct {
	Warmup time.Duration // of each home's samples nothing is learned before
	// From and Until are the times after an event's onset between which its
	// hours stand for it.
	From, Until time.Duration
	// StuckFrom and StuckUntil are the same for something left on, which must
	// be told within hours.
	StuckFrom, StuckUntil time.Duration
	// A silence of Silence and more is no ordinary time: most likely nobody
	// was there. Nor are the days that reach back into one: those that end
	// less than After after it.
	Silence, After time.Duration
	// ScoresOnly keeps the detectors' scores and nothing else.
	ScoresOnly bool
}

// DefaultCollectOptions leave an event most of a day to show.
func DefaultCollectOptions() CollectOptions {
	return CollectOptions{
		Warmup: 42 * 24 * time.Hour, From: 18 * time.Hour, Until: 36 * time.Hour,
		StuckFrom: 150 * time.Minute, StuckUntil: 270 * time.Minute,
		Silence: 12 * time.Hour, After: 36 * time.Hour,
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
	last  time.Time // sample taken
	life  moments
	day   moments
	stuck moments
	quiet []span
	score []score
	when  []time.Time // of each score
	days  float64     // that the scores stand for
}

// score is those of all detectors at one moment.
type score [len(detectors.Features{}.Scores)]float32

// moments is samples of one model, in order of time.
type moments struct {
	at     []time.Time
	x      []float32
	inputs int
	level  []int
}

func (m *moments) add(at time.Time, x []float32, level int) {
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

// Add takes what the models saw of the home and keeps nothing of it. Moments
// come in order; one that is decided again counts as it was at first.
func (t *Track) Add(f *detectors.Features) {
	if !f.At.After(t.last) {
		return
	}
	passed := f.At.Sub(t.last)
	t.last = f.At
	if t.event != nil {
		t.addCase(f)
		return
	}
	if t.first.IsZero() {
		t.first = f.At
	}
	if silent := time.Duration(f.Silent * float64(time.Hour)); silent >= t.opt.Silence {
		now := span{f.At.Add(-silent), f.At}
		if n := len(t.quiet); n > 0 && !now.from.After(t.quiet[n-1].until) {
			t.quiet[n-1].until = now.until
		} else {
			t.quiet = append(t.quiet, now)
		}
	}
	if f.At.Sub(t.first) < t.opt.Warmup {
		return
	}
	var s score
	for i, v := range f.Scores {
		s[i] = float32(v)
		if n := len(t.score); v != v && n > 0 { // what was said last holds
			s[i] = t.score[n-1][i]
		} else if v != v {
			s[i] = float32(math.Inf(-1))
		}
	}
	t.score, t.when = append(t.score, s), append(t.when, f.At)
	t.days += min(passed, time.Hour).Hours() / 24
	if t.opt.ScoresOnly {
		return
	}
	if f.Life != nil {
		t.life.add(f.At, f.Life.X[:], f.Life.Level)
	}
	if f.Day != nil {
		t.day.add(f.At, f.Day.X[:], 0)
	}
	if f.Stuck != nil {
		t.stuck.add(f.At, f.Stuck.X[:], 0)
	}
}

func (t *Track) addCase(f *detectors.Features) {
	after := f.At.Sub(t.event.Onset)
	if after <= 0 || after > t.opt.Until {
		return
	}
	if f.Life != nil {
		t.life.add(f.At, nil, f.Life.Level)
	}
	if f.Day != nil && after >= t.opt.From {
		t.day.add(f.At, f.Day.X[:], 0)
	}
	if f.Stuck != nil && after >= t.opt.StuckFrom && after <= t.opt.StuckUntil {
		t.stuck.add(f.At, f.Stuck.X[:], 0)
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

// absent reports whether a time lies in a silence of a day or more, or within
// a day after it: what is alarming then is no false alarm.
func (t *Track) absent(at time.Time) bool {
	const day = 24 * time.Hour
	for _, q := range t.quiet {
		if q.until.Sub(q.from) >= day && at.After(q.from) && !at.After(q.until.Add(day)) {
			return true
		}
	}
	return false
}

// inOrder sorts the tracks so that what is made of them does not depend on
// who was first, and numbers the homes in order of their ids.
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
