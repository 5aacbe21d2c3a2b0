package detectors

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"weimang/ingest"
)

// town is areas between which homes move. What one hands over stands in the log
// of the other at once, or later.
type town struct {
	t       testing.TB
	p       Params
	areas   map[string]*Area
	delay   time.Duration // of handovers
	repeats bool          // each comes once more, an hour later
	restart int           // every so many inputs all areas are saved and restored; 0: never
	look    int           // every so many inputs all areas are saved; 0: never
	saved   map[int][]byte
	forgot  int // the input with which tq has forgotten a home, the last
	inputs  int
	waiting []ingest.Input // handovers, by when they arrive
	handed  int
	found   []Finding
	tooLate int
}

func newTown(t testing.TB, p Params) *town {
	return &town{t: t, p: p, areas: make(map[string]*Area), saved: make(map[int][]byte)}
}

// live takes a log in, and the handovers that it leads to by its end.
func (w *town) live(log []ingest.Input) *town {
	w.t.Helper()
	for i := range log {
		w.arrive(log[i].Clock)
		w.take(log[i])
	}
	w.arrive(log[len(log)-1].Clock.AddDate(1, 0, 0))
	return w
}

func (w *town) arrive(now time.Time) {
	w.t.Helper()
	for len(w.waiting) > 0 && !w.waiting[0].Clock.After(now) {
		in := w.waiting[0]
		w.waiting = w.waiting[1:]
		w.take(in)
	}
}

func (w *town) take(in ingest.Input) {
	w.t.Helper()
	if w.inputs++; w.restart != 0 && w.inputs%w.restart == 0 {
		for id, a := range w.areas {
			w.areas[id], _ = saveAndRestore(w.t, &w.p, a)
		}
	}
	if w.look != 0 && w.inputs%w.look == 0 {
		for _, id := range slices.Sorted(maps.Keys(w.areas)) {
			_, b := saveAndRestore(w.t, &w.p, w.areas[id])
			w.saved[w.inputs] = append(w.saved[w.inputs], b...)
		}
	}
	a, ok := w.areas[in.AreaID]
	if !ok {
		a = NewArea(&w.p, in.AreaID)
		w.areas[in.AreaID] = a
	}
	homes := a.Homes()
	out := new(Output)
	var rejection *ingest.Rejection
	if err := a.Apply(&in, out); err != nil && !errors.As(err, &rejection) {
		w.t.Fatal(err)
	} else if err != nil && (in.Handover != nil || in.Residence != nil) {
		w.t.Fatalf("refused: %v", err)
	}
	if a.Homes() < homes && a.id == "tq" {
		w.forgot = w.inputs
	}
	w.found = append(w.found, out.Findings...)
	w.tooLate += len(out.TooLate)
	for _, h := range out.Handovers {
		if w.handed++; w.handed > 1000 {
			w.t.Fatal("two areas hand a home over again and again")
		}
		h.Clock = h.Clock.Add(w.delay)
		w.waiting = append(w.waiting, h)
		if w.repeats {
			h.Clock = h.Clock.Add(time.Hour)
			w.waiting = append(w.waiting, h)
		}
	}
	slices.SortStableFunc(w.waiting, func(x, y ingest.Input) int { return x.Clock.Compare(y.Clock) })
}

// states are the areas as they must not depend on the order of arrival.
func (w *town) states() []byte {
	var all []byte
	for _, id := range []string{"tq", "ru", "xi"} {
		if a := w.areas[id]; a != nil {
			all = append(all, frozen(w.t, a)...)
		}
	}
	return all
}

// moves is when home 3 moves, and where it is from then on; before the first it
// is in tq.
type moves []struct {
	to   string
	from time.Time
}

func (m moves) area(start time.Time) string {
	area := "tq"
	for _, next := range m {
		if !start.Before(next.from) {
			area = next.to
		}
	}
	return area
}

// twoAreas are eight homes in tq, the last of which a neighbour of home 3, and as
// many in ru; home 3 moves. The roster is told of it at a time.
func twoAreas(v *village, days int, told time.Time, m moves) []ingest.Input {
	v.homes = 16
	var log []ingest.Input
	for _, in := range v.inputs(0, days) {
		switch home := in.Readings.HouseholdID; {
		case home == homeID(3):
			in.AreaID = m.area(in.Readings.Start)
		case home >= homeID(8):
			in.AreaID = "ru"
		}
		log = append(log, in)
	}
	for home := range v.homes {
		in := resident(at(0, 0), homeID(home), ingest.Stay{})
		if home >= 8 {
			in.AreaID = "ru"
		}
		log = with(log, in)
	}
	return with(log, movers(told, m)...)
}

// movers are the entries that tell each area of the moves.
func movers(told time.Time, m moves) (log []ingest.Input) {
	stays := map[string][]ingest.Stay{}
	area, from := "tq", time.Time{}
	for _, next := range m {
		stays[area] = append(stays[area], ingest.Stay{From: from, Until: next.from, To: next.to})
		area, from = next.to, next.from
	}
	stays[area] = append(stays[area], ingest.Stay{From: from})
	for _, id := range []string{"tq", "ru", "xi"} {
		if len(stays[id]) > 0 {
			in := resident(told, homeID(3), stays[id]...)
			in.AreaID = id
			log = append(log, in)
		}
	}
	return log
}

// silentMover is still from the 15th day 7:00 to the 18th, 9:00, and moves in
// between.
func silentMover() *village {
	return &village{seed: 2, edit: func(home int, start time.Time, wh float64) float64 {
		if home == 3 && between(start, at(15, 7), at(18, 9)) {
			return 20
		}
		return wh
	}}
}

// again tells the areas of moves that are long over, as when ingest reads the
// roster from its begin.
func (w *town) again(m moves) {
	w.t.Helper()
	before, handed, found := w.states(), w.handed, len(w.found)
	for _, in := range movers(time.Time{}, m) {
		in.Clock = w.areas[in.AreaID].clock
		w.take(in)
	}
	if w.handed != handed || len(w.found) != found || !bytes.Equal(w.states(), before) {
		w.t.Errorf("told again, there are %d handovers and %d findings more, or another state", w.handed-handed, len(w.found)-found)
	}
}

func TestAnAlertGoesOnWhereTheHomeHasMoved(t *testing.T) {
	date := moves{{"ru", at(17, 0)}}
	for name, c := range map[string]struct {
		told    time.Time
		delay   time.Duration
		repeats bool
		restart int
	}{
		"told before":                              {told: at(10, 0)},
		"told after":                               {told: at(17, 13)},
		"handed over hours later":                  {told: at(10, 0), delay: 7 * time.Hour},
		"handed over twice":                        {told: at(10, 0), repeats: true},
		"restarted time and again":                 {told: at(10, 0), delay: time.Hour, repeats: true, restart: 1001},
		"told after, handed over twice, restarted": {told: at(17, 13), delay: time.Hour, repeats: true, restart: 701},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, DefaultParams())
			w.delay, w.repeats, w.restart = c.delay, c.repeats, c.restart
			w.live(twoAreas(silentMover(), 27, c.told, date))
			consistent(t, w.found)
			story := of(w.found, homeID(3))
			if len(story) < 2 || len(story) != len(w.found) {
				t.Fatalf("want the story of one home, got %+v", w.found)
			}
			open, last := story[0], story[len(story)-1]
			if open.AreaID != "tq" || open.Kind != NoSignOfLife || !between(open.At, at(15, 9), at(16, 12)) {
				t.Errorf("opened as %+v", open)
			}
			if last.State != Resolved || last.AreaID != "ru" || last.Reason.Cause != CauseLifeBack || !between(last.At, at(18, 9), at(18, 15)) {
				t.Errorf("ended as %+v", last)
			}
			for _, f := range story {
				if f.AlertID() != open.AlertID() {
					t.Errorf("%s is another alert than %s", f.AlertID(), open.AlertID())
				}
			}
			if n := w.areas["tq"].Homes(); n != 7 {
				t.Errorf("the old area has %d homes", n)
			}
			h := w.areas["ru"].find(homeID(3))
			if h == nil || w.areas["ru"].Homes() != 9 || h.live.Habits.Days < 26 || h.res.join != nil || h.res.stays != nil {
				t.Fatalf("the new area has %d homes, that one among them: %v", w.areas["ru"].Homes(), h != nil)
			}
			if w.handed == 0 || w.tooLate != 0 {
				t.Errorf("%d handed over, %d readings too late", w.handed, w.tooLate)
			}
			w.again(date)
		})
	}
}

// Whatever came first, in the end the areas are the same: the date of the move
// may be told late, the handover be slow and come twice, readings of before and
// after the move be late, and processes die in between.
func FuzzOrderOfMoves(f *testing.F) {
	for seed := range uint64(3) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		p := DefaultParams()
		p.MinDays = 1
		v := &village{seed: seed, edit: func(home int, start time.Time, wh float64) float64 {
			if home == 3 && between(start, at(5, 7), at(8, 9)) || home == 9 && between(start, at(6, 10), at(6, 22)) {
				return 20
			}
			return wh
		}}
		rng := rand.New(rand.NewPCG(seed, 1))
		date := moves{{"ru", at(5, float64(rng.IntN(72)))}}
		if rng.IntN(3) == 0 {
			back := moves{{[]string{"tq", "xi"}[rng.IntN(2)], date[0].from.Add(time.Duration(1+rng.IntN(40)) * time.Hour)}}
			date = append(date, back...)
		}
		told := at(4, 0)
		inOrder := newTown(t, p).live(twoAreas(v, 15, told, date))
		log := slices.DeleteFunc(twoAreas(v, 15, told, date), func(in ingest.Input) bool {
			return in.Residence != nil && in.Clock.Equal(told)
		})
		late := 0
		for i := range log {
			in := &log[i]
			switch x := rng.Float64(); {
			case in.Readings == nil, in.Clock.After(at(10, 0)), in.Clock.Before(told):
			case in.Readings.HouseholdID == homeID(3) && x < 0.2:
				in.Clock = in.Clock.Add(time.Duration(rng.Int64N(int64(80 * time.Hour))))
				if in.Readings.Start.Before(date[0].from) && in.Clock.After(date[0].from.Add(time.Hour)) {
					late++
				}
			case x < 0.01:
				in.Clock = in.Clock.Add(time.Duration(rng.Int64N(int64(90 * time.Hour))))
			case x < 0.1:
				in.Clock = in.Clock.Add(time.Duration(rng.Int64N(int64(3 * time.Hour))))
			}
		}
		slices.SortStableFunc(log, func(x, y ingest.Input) int { return x.Clock.Compare(y.Clock) })
		for _, in := range movers(told, date) { // each area hears of it by itself
			in.Clock = date[0].from.Add(time.Duration(rng.IntN(48)-24) * time.Hour)
			log = with(log, in)
		}
		w := newTown(t, p)
		w.delay, w.repeats, w.restart = time.Duration(rng.IntN(5))*time.Hour, rng.IntN(2) == 0, 500+rng.IntN(2000)
		w.live(log)
		consistent(t, slices.DeleteFunc(slices.Clone(w.found), func(f Finding) bool { return f.HouseholdID == homeID(3) }))
		if w.tooLate != 0 {
			t.Errorf("%d readings too late", w.tooLate)
		}
		if late > 0 && w.handed < 2 {
			t.Errorf("handed over %d times: %d late readings of before the move changed nothing", w.handed, late)
		}
		if !bytes.Equal(w.states(), inOrder.states()) {
			t.Error("the states differ")
		}
	})
}

// Readings that came to the old area before it heard of the move go with the
// home.
func TestReadingsThatWentToTheOldAreaFollow(t *testing.T) {
	p := DefaultParams()
	date := moves{{"ru", at(16, 12)}}
	want := newTown(t, p).live(twoAreas(silentMover(), 27, at(16, 0), date))
	log := twoAreas(silentMover(), 27, at(17, 6), date)
	for i := range log {
		if r := log[i].Readings; r != nil && r.HouseholdID == homeID(3) && log[i].Clock.Before(at(17, 6)) {
			log[i].AreaID = "tq"
		}
	}
	got := newTown(t, p).live(log)
	if !bytes.Equal(got.states(), want.states()) {
		t.Error("the states differ")
	}
	if x, y := of(got.found, homeID(3)), of(want.found, homeID(3)); len(x) != len(y) || x[0].AlertID() != y[0].AlertID() {
		t.Errorf("%d findings, want %d", len(x), len(y))
	}
}

// A checkpoint is a function of the log, whoever has begun anew from an earlier
// one. Home 3 gets another meter before it moves, its old area is sent some
// readings of after the date, and while that is not settled a neighbour that
// stays gets another meter, too.
func TestARestoredAreaGoesOnAsItWould(t *testing.T) {
	p := DefaultParams()
	first, date, second := at(15, 0), at(16, 12), at(21, 12)
	log := exchange(twoAreas(silentMover(), 27, at(5, 0), moves{{"ru", date}}), first)
	log = slices.DeleteFunc(log, func(in ingest.Input) bool { // as if it had one meter
		return in.Residence != nil && in.Residence.HouseholdID == homeID(3) && in.Clock.Equal(at(5, 0))
	})
	for i := range log {
		r := log[i].Readings
		switch {
		case r == nil:
		case r.HouseholdID == homeID(3) && between(r.Start, date, date.Add(6*time.Hour)):
			log[i].AreaID = "tq"
		case r.HouseholdID == homeID(5) && !r.Start.Before(second):
			other := *r
			other.MeterID = "another"
			log[i].Readings = &other
		}
	}
	joins := resident(at(5, 0), homeID(3), ingest.Stay{MeterID: "new", From: date})
	joins.AreaID = "ru"
	log = with(log, joins,
		resident(at(5, 0), homeID(3), ingest.Stay{Until: first}, ingest.Stay{MeterID: "new", From: first, Until: date, To: "ru"}),
		resident(at(21, 0), homeID(5), ingest.Stay{Until: second}, ingest.Stay{MeterID: "another", From: second}))

	if sameRestored(t, p, log).forgot == 0 {
		t.Error("tq forgets nobody, so this shows less than it says")
	}
}

// It seemed to go nowhere, and what it was at its date was not kept.
func TestAHomeThatComesBackAfterAllIsHandedOverAsItWas(t *testing.T) {
	left, comes, back := at(16, 0), at(18, 12), at(19, 12)
	log := twoAreas(silentMover(), 24, at(5, 0), nil)
	log = slices.DeleteFunc(log, func(in ingest.Input) bool {
		return in.Readings != nil && in.Readings.HouseholdID == homeID(3) && between(in.Readings.Start, left, comes)
	})
	for i := range log {
		if r := log[i].Readings; r != nil && r.HouseholdID == homeID(3) && between(r.Start, comes, back) {
			log[i].AreaID = "ru"
		}
	}
	in := func(area string, told time.Time, stays ...ingest.Stay) ingest.Input {
		entry := resident(told, homeID(3), stays...)
		entry.AreaID = area
		return entry
	}
	was := ingest.Stay{Until: left, To: "ru"}
	sameRestored(t, DefaultParams(), with(log,
		in("tq", at(10, 0), ingest.Stay{Until: left}),
		in("tq", at(18, 0), was), in("ru", at(18, 0), ingest.Stay{From: comes}),
		in("tq", at(19, 0), was, ingest.Stay{From: back}), in("ru", at(19, 0), ingest.Stay{From: comes, Until: back, To: "tq"})))
}

// sameRestored runs a log with and without restarts, of which one is as tq forgets
// a home if it does, and wants the same states all the time. It returns the run
// without.
func sameRestored(t *testing.T, p Params, log []ingest.Input) *town {
	t.Helper()
	const look = 97
	want := newTown(t, p)
	want.look = look
	want.live(log)
	restarts := map[string]int{"often": 53}
	if want.forgot != 0 {
		restarts["as a home is forgotten"] = want.forgot
	}
	for name, restart := range restarts {
		t.Run(name, func(t *testing.T) {
			got := newTown(t, p)
			got.look, got.restart = look, restart
			got.live(log)
			for _, n := range slices.Sorted(maps.Keys(want.saved)) {
				if !bytes.Equal(want.saved[n], got.saved[n]) {
					t.Fatalf("after %d of %d inputs the states differ", n, len(log))
				}
			}
			if got.handed != want.handed {
				t.Errorf("handed over %d times, want %d", got.handed, want.handed)
			}
		})
	}
	return want
}

// Who speaks of a home where it was is heard where it is.
func TestWhatIsSaidInTheOldAreaFollows(t *testing.T) {
	p := DefaultParams()
	date := moves{{"ru", at(16, 12)}}
	log := twoAreas(silentMover(), 20, at(5, 0), date)
	word := ingest.Input{AreaID: "tq", Clock: at(16, 20), Directive: &ingest.Directive{
		ID: "d-1", HouseholdID: homeID(3), Kind: ingest.Mute, IssuedAt: at(16, 20), From: at(16, 20), Until: at(19, 0),
	}}
	w := newTown(t, p).live(with(log, word))
	h := w.areas["ru"].find(homeID(3))
	if at := h.said.at(&h.live, tickOf(at(17, 12))); at == nil || !at.Mute {
		t.Errorf("in the new area is said %+v", h.wasSaid())
	}
	if story := of(w.found, homeID(3)); story[len(story)-1].Reason.Cause != CauseMuted {
		t.Errorf("it ends with %+v", story[len(story)-1])
	}
}

// An old word that a home brings along takes no newer one's place.
func TestWhatWasSaidComesToTheSameInAnyOrder(t *testing.T) {
	const day = uint32(ticksADay)
	words := []period{
		{ID: 1, From: 10 * day, Until: 11 * day, Issued: 10 * day},
		{ID: 2, From: 20 * day, Until: 29 * day, Issued: 20 * day},
		{ID: 3, From: 20 * day, Until: 30 * day, Issued: 21 * day, Mute: true},
	}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}, {1, 2, 0, 1}} {
		var s said
		for _, i := range order {
			s.put(words[i], tick(15*day))
		}
		if s.Periods != [2]period{words[2], words[1]} {
			t.Errorf("in the order %v is kept %+v", order, s.Periods)
		}
	}
}

func TestAHomeMovesOnAndComesBack(t *testing.T) {
	p := DefaultParams()
	for name, date := range map[string]moves{
		"on before its state is settled": {{"ru", at(16, 0)}, {"xi", at(16, 20)}},
		"back":                           {{"ru", at(16, 0)}, {"tq", at(17, 0)}},
		"back later":                     {{"ru", at(8, 0)}, {"tq", at(16, 0)}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, p)
			w.restart = 1009
			w.live(twoAreas(silentMover(), 27, at(5, 0), date))
			consistent(t, w.found)
			story := of(w.found, homeID(3))
			if len(story) < 2 || len(story) != len(w.found) || story[len(story)-1].State != Resolved || story[0].AlertID() != story[len(story)-1].AlertID() {
				t.Fatalf("said %+v", w.found)
			}
			homes := 0
			for _, a := range w.areas {
				homes += a.Homes()
			}
			h := w.areas[date[1].to].find(homeID(3))
			if homes != 16 || h == nil || h.live.Habits.Days < 26 {
				t.Errorf("%d homes, known where it is: %v", homes, h != nil)
			}
			w.again(date)
		})
	}
}

// An area of its own may hear of nothing after the date but the clock.
func TestTheLastHomeOfAnAreaIsHandedOverByTheClock(t *testing.T) {
	p := DefaultParams()
	v := &village{homes: 1, seed: 4}
	log := with(v.inputs(0, 6)[:6*48-5], // the last readings do not come
		resident(at(5, 0), homeID(0), ingest.Stay{Until: at(6, 0), To: "ru"}))
	w := newTown(t, p).live(log)
	if w.handed != 0 {
		t.Fatal("handed over before the date")
	}
	w.live([]ingest.Input{{AreaID: "tq", Clock: at(6, 1)}})
	if h := w.areas["ru"].find(homeID(0)); h == nil || h.res.join.state.Habits.Days < 5 {
		t.Error("nothing was handed over")
	}
	w.live([]ingest.Input{{AreaID: "tq", Clock: at(16, 0)}})
	if w.areas["tq"].Homes() != 0 || w.handed != 1 {
		t.Errorf("%d homes are kept, %d handed over", w.areas["tq"].Homes(), w.handed)
	}
}

// handover is a home on its way from tq to ru, with readings of after the date;
// ru stands a little later.
func handover(t *testing.T) (ru *Area, on ingest.Handover) {
	t.Helper()
	v, p := &village{homes: 1, seed: 4}, DefaultParams()
	w := newTown(t, p)
	w.delay = 365 * 24 * time.Hour
	for _, in := range append(v.inputs(0, 6), resident(at(6, 0), homeID(0), ingest.Stay{Until: at(5, 0), To: "ru"})) {
		w.take(in)
	}
	if len(w.waiting) == 0 {
		t.Fatal("nothing was handed over")
	}
	ru = NewArea(&p, "ru")
	tell(t, ru, (&village{homes: 2, seed: 5}).inputs(4, 6)[50:], new(Output))
	return ru, *w.waiting[0].Handover
}

func TestAHandoverThatCannotBeReadIsRefused(t *testing.T) {
	a, good := handover(t)
	for n := range len(good.State) {
		cut := good
		cut.State = good.State[:n]
		var rejection *ingest.Rejection
		if err := a.Apply(&ingest.Input{AreaID: "ru", Clock: at(6, 0), Handover: &cut}, new(Output)); !errors.As(err, &rejection) {
			t.Fatalf("%d of %d bytes were taken: %v", n, len(good.State), err)
		}
	}
	for i := range good.State {
		flipped := good
		flipped.State = slices.Clone(good.State)
		flipped.State[i] ^= 1 << (i % 8)
		if err := a.Apply(&ingest.Input{AreaID: "ru", Clock: at(6, 0), Handover: &flipped}, new(Output)); err == nil {
			t.Fatalf("byte %d is another, and it was taken", i)
		}
	}
	other := good
	other.State = slices.Clone(good.State)
	other.State[0]++
	if err := a.Apply(&ingest.Input{AreaID: "ru", Clock: at(6, 0), Handover: &other}, new(Output)); err == nil {
		t.Error("the state of another version was taken")
	}
	if err := a.Apply(&ingest.Input{AreaID: "ru", Clock: at(6, 0), Handover: &good}, new(Output)); err != nil {
		t.Error(err)
	}
	if len(good.State) > 4096 {
		t.Errorf("%d bytes for one home", len(good.State))
	}
}

// Who does not want to be watched is not, in whatever area.
func TestWithdrawnConsentMovesWithTheHousehold(t *testing.T) {
	p := DefaultParams()
	date := moves{{"ru", at(17, 0)}}
	withdrawn := func(clock time.Time) ingest.Input {
		return ingest.Input{AreaID: "tq", Clock: clock, Directive: &ingest.Directive{
			ID: "c", HouseholdID: homeID(3), Kind: ingest.ConsentWithdrawn, IssuedAt: clock,
		}}
	}
	for name, withdrawn := range map[string]ingest.Input{"before the move is known": withdrawn(at(9, 0)), "before the date": withdrawn(at(16, 0))} {
		t.Run(name, func(t *testing.T) {
			log := with(twoAreas(silentMover(), 19, at(10, 0), date), withdrawn)
			if withdrawn.Clock.After(at(10, 0)) { // ingest tells every area that the roster names
				there := withdrawn
				there.AreaID = "ru"
				log = with(log, there)
			}
			w := newTown(t, p).live(log)
			if w.areas["tq"].find(homeID(3)) != nil || w.areas["ru"].find(homeID(3)) != nil {
				t.Error("the home is watched")
			}
			if story := of(w.found, homeID(3)); len(story) > 0 && story[len(story)-1].Reason.Cause != CauseConsentWithdrawn {
				t.Errorf("said in the end: %+v", story[len(story)-1])
			}
		})
	}
}
