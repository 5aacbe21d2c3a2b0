package evaluate

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	"weimang/detectors"
)

// Recipe is one way in which an event of a kind shows in a meter.
type Recipe struct {
	Kind     string           // of event: still, frozen, ...
	Name     string           // unique within the kind
	Headline bool             // the one that stands for the kind
	Says     string           // what happens, one sentence
	Own      []detectors.Kind // what a finding should call it
	Length   time.Duration    // how long a case is watched after its onset
	Windows  []time.Duration  // within which detection is counted
	Within   time.Duration    // of Windows, the one of the operating curve
	Quiet    bool             // nobody uses anything: the bound is worth telling

	// ahead is how far after its end the case looks.
	ahead time.Duration
	// lead is how long before the onset the area is another one.
	lead time.Duration
	// onset draws when it begins, on the home's grid; false: no such moment.
	onset func(h *home, rng *rand.Rand, from, until tick) (tick, bool)
	// inject writes what the meters then read.
	inject func(s *scene)
}

// ID names the recipe.
func (r *Recipe) ID() string { return r.Kind + "/" + r.Name }

func hoursOf(hours ...int) []time.Duration {
	d := make([]time.Duration, len(hours))
	for i, h := range hours {
		d[i] = time.Duration(h) * time.Hour
	}
	return d
}

// Recipes lists every recipe, kind by kind, the headline first.
func Recipes() []Recipe {
	var all []Recipe
	for _, family := range [][]Recipe{
		stillRecipes(), frozenRecipes(), thermostatRecipes(), shortfallRecipes(), notRisingRecipes(),
		stuckRecipes(), reversedRecipes(), declineRecipes(), meterRecipes(),
	} {
		all = append(all, family...)
	}
	return all
}

// EventKinds lists the kinds of events, in the order of Recipes.
func EventKinds() []string {
	var kinds []string
	for _, r := range Recipes() {
		if len(kinds) == 0 || kinds[len(kinds)-1] != r.Kind {
			kinds = append(kinds, r.Kind)
		}
	}
	return kinds
}

// scene is one case: an area from a time on, in which one home is copied. All
// curves below begin at from; those of the copy and the control are equal
// before onset.
type scene struct {
	recipe             *Recipe
	homes              []*home
	self               int
	from, onset, until tick
	rng                *rand.Rand
	base               *base // of the copied home, at the onset

	shared  [][]uint32 // of the neighbours, nil where untouched; nil: all are
	copy    []uint32
	control []uint32 // nil: untouched
}

func (s *scene) home() *home { return s.homes[s.self] }

// place draws when a case begins; false: the home has no room for it. Like
// draw it depends on nothing but its arguments.
func place(r *Recipe, h *home, warmup time.Duration, seed uint64, number int) (from, onset, until tick, ok bool) {
	first, last := h.start+ticksIn(warmup), h.end()-ticksIn(r.Length+r.ahead)
	if last <= first {
		return 0, 0, 0, false
	}
	onset, ok = r.onset(h, dice(seed, h.id, r.ID(), number, "onset"), first, last)
	from = onset
	if r.lead > 0 {
		from = max(onset-ticksIn(r.lead), h.start)
		from -= from % hourTicks
	}
	return from, onset, onset + ticksIn(r.Length), ok
}

// draw sets the scene of a case.
func draw(r *Recipe, homes []*home, self int, warmup time.Duration, seed uint64, number int) (*scene, bool) {
	h := homes[self]
	from, onset, until, ok := place(r, h, warmup, seed, number)
	if !ok {
		return nil, false
	}
	s := &scene{recipe: r, homes: homes, self: self, from: from, onset: onset, until: until, base: h.baseAt(onset)}
	s.rng = dice(seed, h.id, r.ID(), number, "course")
	s.copy = h.span(s.from, s.until)
	r.inject(s)
	return s, true
}

// dice is the source of chance of one purpose.
func dice(seed uint64, parts ...any) *rand.Rand {
	f := fnv.New64a()
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			f.Write([]byte(p))
			f.Write([]byte{0})
		case int:
			f.Write([]byte{byte(p), byte(p >> 8), byte(p >> 16), 1})
		}
	}
	return rand.New(rand.NewPCG(seed, f.Sum64()))
}

// alter rewrites the copy from its onset on: use is asked for the exact energy
// of the interval that begins at t, of which wh was read. Missing readings
// stay missing.
func (s *scene) alter(use func(t tick, wh float64) float64) {
	rewrite(s.home(), s.copy, s.from, s.onset, s.until, s.rng, use)
}

func rewrite(h *home, curve []uint32, from, onset, until tick, rng *rand.Rand, use func(t tick, wh float64) float64) {
	m := newRegister(h.unit, rng)
	for t := onset; t < until; t += h.step {
		v := &curve[(t-from)/h.step]
		if !measured(*v) {
			use(t, 0) // what hums goes on humming
			continue
		}
		*v = m.read(use(t, float64(*v)))
	}
}

// split parts a reading into what somebody uses and the rest, against what
// base draws at the moment: so the rest hums on as base does, and a quiet
// night keeps its spread when use is scaled.
func (u *hum) split(wh float64) (use, rest float64) {
	use = max(wh-u.next(), 0)
	return use, wh - use
}

// Onsets.

func anyTime(h *home, rng *rand.Rand, from, until tick) (tick, bool) {
	i, j := h.index(from+h.step-1), h.index(until)
	if j <= i {
		return 0, false
	}
	return h.at(i + rng.IntN(j-i)), true
}

// tries is how many moments are looked at before a home is given up.
const tries = 400

// when draws moments until one is as it should be.
func when(fits func(h *home, t tick) bool) func(*home, *rand.Rand, tick, tick) (tick, bool) {
	return func(h *home, rng *rand.Rand, from, until tick) (tick, bool) {
		for range tries {
			if t, ok := anyTime(h, rng, from, until); ok && fits(h, t) {
				return t, true
			}
		}
		return 0, false
	}
}

func inBed(h *home, t tick) bool {
	hour := t.in(h.loc).hour
	return hour >= 23 || hour < 5
}

func byDay(h *home, t tick) bool {
	hour := t.in(h.loc).hour
	return hour >= 8 && hour < 20
}

// inUse is when something is clearly on: in the interval before, too, so that
// it is on and not just switched off.
func inUse(h *home, t tick) bool {
	now, before := h.value(t), h.value(t-h.step)
	if !measured(now) || !measured(before) {
		return false
	}
	b := h.baseAt(t)
	clearly := b.limit + 50*h.step.hours()
	return float64(now) > clearly && float64(before) > clearly
}
