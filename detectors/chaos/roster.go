package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/simulate"
)

// changesPerRound is how often the roster changes in a round, in one of these
// ways. Each change has a date in the round. It is told up to a day before, or,
// where no reading is refused until then, up to a day after.
const changesPerRound = 2

var changeDeck = []Kind{MoveHome, MoveHome, ExchangeMeter, HomeLeaves, HomeComes}

const (
	// changeGap is between two changes of one household at least, so that they
	// are told in order.
	changeGap = 48 * time.Hour
	// unsettled is for how long the old area of a home that has moved is not
	// done with it: who has moved lately moves again more often than others.
	unsettled = 6 * 24 * time.Hour
	// longestExchange is how long a home is without a meter while it is
	// exchanged.
	longestExchange = 5 * time.Hour
	// lingers is how long the meter of a household that has left still sends.
	lingers = 6 * time.Hour
	// heldBack households are not there before the first round.
	heldBack = 2
)

// household is one of the village, with its homes over time.
type household struct {
	homes []stay
}

// stay is one home of a household.
type stay struct {
	ingest.Home
	told    int  // the half at whose end ingest is told of it; fromBegin: before the first
	left    int  // that at whose end it is told that the household has left; 0: it has not
	unheard bool // nothing is ever sent from it
}

const fromBegin = -1

// last is the household's last home; nil: it has none yet.
func (h *household) last() *stay {
	if len(h.homes) == 0 {
		return nil
	}
	return &h.homes[len(h.homes)-1]
}

// there reports whether the household is there at a time, of which nothing later
// is planned, and its last change is long enough ago for another.
func (h *household) there(at time.Time) bool {
	s := h.last()
	return s != nil && s.left == 0 && at.Sub(s.From) >= changeGap
}

// away reports whether it is not there, and has been away for long enough to
// come.
func (h *household) away(at time.Time) bool {
	s := h.last()
	return s == nil || s.left != 0 && at.Sub(s.Until) >= changeGap
}

// listed reports whether ingest knows, by the end of a half, of the household,
// and of no end.
func (h *household) listed(half int) bool {
	for i := len(h.homes) - 1; i >= 0; i-- {
		if s := &h.homes[i]; s.told <= half {
			return s.left == 0 || s.left > half
		}
	}
	return false
}

// movers makes up who comes, goes and moves, and lets ingest be told of it.
type movers struct {
	f          *feed
	rng        *rand.Rand
	areas      int
	households []household
	meters     map[string][]ingest.Home // as they are told of so far
}

// move makes up the changes of the roster in the rounds, which begin on a day.
func (f *feed) move(o *Options, first int) *movers {
	m := &movers{
		f: f, rng: rand.New(rand.NewPCG(o.Seed, 6)), //nolint:gosec // made-up data
		areas: o.Areas, meters: make(map[string][]ingest.Home),
	}
	m.households = make([]household, len(f.village.Homes()))
	deck := slices.DeleteFunc(slices.Clone(changeDeck), func(k Kind) bool { return slices.Contains(o.Skip, k) })
	for i, h := range f.village.Homes() {
		if every := max(2, len(m.households)/heldBack); i%every == every/2 && slices.Contains(deck, HomeComes) {
			continue
		}
		m.households[i].homes = []stay{{Home: h.Home, told: fromBegin}}
		m.meters[h.MeterID] = []ingest.Home{h.Home}
		f.homes = append(f.homes, h.Home)
	}
	var dealt []Kind
	for d := first; d < first+o.Rounds && len(deck) > 0; d++ {
		for range changesPerRound {
			if len(dealt) == 0 {
				dealt = slices.Clone(deck)
				m.rng.Shuffle(len(dealt), func(i, j int) { dealt[i], dealt[j] = dealt[j], dealt[i] })
			}
			m.change(dealt[0], f.village.Options().Start.Add(time.Duration(24*d+m.rng.IntN(24))*time.Hour))
			dealt = dealt[1:]
		}
	}
	return m
}

// change makes up one change, unless there is nobody for it.
func (m *movers) change(k Kind, at time.Time) {
	wanted := (*household).there
	if k == HomeComes {
		wanted = (*household).away
	}
	var some, lately []int
	for i := range m.households {
		h := &m.households[i]
		if wanted(h, at) {
			some = append(some, i)
			if s := h.last(); s != nil && len(h.homes) > 1 && at.Sub(s.From) < unsettled {
				lately = append(lately, i)
			}
		}
	}
	if k == MoveHome && len(lately) > 0 && m.rng.IntN(3) == 0 {
		some = lately
	}
	if len(some) == 0 {
		return
	}
	i := some[m.rng.IntN(len(some))]
	h, was := &m.households[i], m.households[i].last()
	told := m.tell(at, k == MoveHome || k == HomeLeaves)
	if k == HomeComes {
		home := m.f.village.Homes()[i].Home
		home.AreaID, home.From = m.area(), at.UTC()
		if was != nil {
			home.MeterID = was.MeterID
		}
		h.homes = append(h.homes, stay{Home: home, told: told, unheard: m.rng.IntN(3) == 0})
		m.put(k, told, home)
		return
	}
	next := stay{Home: was.Home, told: told, unheard: was.unheard}
	was.Until = at.UTC()
	m.end(was)
	next.From = at.UTC()
	switch k {
	case MoveHome:
		if next.AreaID = m.area(); len(h.homes) > 1 && m.rng.IntN(2) == 0 {
			next.AreaID = h.homes[len(h.homes)-2].AreaID // back, if it was another
		}
		if next.AreaID == was.AreaID {
			next.AreaID = simulate.AreaID(m.rng.IntN(m.areas))
		}
	case ExchangeMeter:
		next.MeterID = fmt.Sprintf("%s-%d", m.f.village.Homes()[i].MeterID, len(h.homes))
		next.From = next.From.Add(time.Duration(m.rng.Int64N(int64(longestExchange/time.Hour)+1)) * time.Hour)
		m.put("", told, was.Home)
	case HomeLeaves:
		was.left = told
		m.put(k, told, was.Home)
		return
	}
	h.homes = append(h.homes, next)
	m.put(k, told, next.Home)
}

func (m *movers) area() string { return simulate.AreaID(m.rng.IntN(m.areas)) }

// tell is the half at whose end a change is told: one of the two that end before
// its date or, if that may be, of the two that do after it.
func (m *movers) tell(at time.Time, afterwards bool) int {
	half := int(at.Sub(m.f.village.Options().Start)/(12*time.Hour)) - 1 - m.rng.IntN(2)
	if afterwards && m.rng.IntN(2) == 0 {
		half += 2
	}
	return half
}

// end dates the end of a home in what is told next of its meter.
func (m *movers) end(s *stay) {
	homes := m.meters[s.MeterID]
	homes[len(homes)-1].Until = s.Until
}

// put lets a home be told of, with the other homes of its meter.
func (m *movers) put(k Kind, half int, home ingest.Home) {
	homes := m.meters[home.MeterID]
	if len(homes) == 0 || !homes[len(homes)-1].From.Equal(home.From) {
		homes = append(homes, home)
		m.meters[home.MeterID] = homes
	}
	value, err := contract.EncodeHomes(homes)
	if err != nil { // cannot be: every field has a JSON form
		panic(err)
	}
	h := &m.f.days[half/2].halves[half%2]
	h.words = append(h.words, word{topic: ingest.TopicRoster, key: home.MeterID, value: value, kind: k})
}

// send gives a reading of a half the meter that the household has at its time, and
// the area in which ingest knows it by then. It reports whether the reading does
// not come at all.
func (m *movers) send(b *ingest.Block, household, half int) (lost bool) {
	homes := m.households[household].homes
	for i := len(homes) - 1; i >= 0; i-- {
		s := &homes[i]
		if b.Start.Before(s.From) {
			continue
		}
		over := !s.Until.IsZero() && !b.Start.Before(s.Until)
		if s.unheard || over && (s.left == 0 || b.Start.Sub(s.Until) >= lingers) {
			return true
		}
		b.MeterID, b.AreaID = s.MeterID, s.AreaID
		if s.told >= half && i > 0 {
			b.AreaID = homes[i-1].AreaID
		}
		return false
	}
	return true
}

// moved tells the feed who moves, and when from where to where.
func (m *movers) moved() {
	m.f.moved, m.f.leaves, m.f.joins = make(map[string]bool), make(map[string][]time.Time), make(map[string][]time.Time)
	for i := range m.households {
		homes := m.households[i].homes
		for n := 1; n < len(homes); n++ {
			if was := &homes[n-1]; was.AreaID != homes[n].AreaID {
				m.f.moved[was.HouseholdID] = true
				m.f.leaves[was.AreaID] = append(m.f.leaves[was.AreaID], was.Until)
				m.f.joins[homes[n].AreaID] = append(m.f.joins[homes[n].AreaID], homes[n].From)
			}
		}
	}
}
