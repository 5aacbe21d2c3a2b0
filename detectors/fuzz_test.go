package detectors

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"weimang/ingest"
)

// Troubles of a feed, the bits of FuzzApply's second argument.
const (
	mixedIntervals = 1 << iota // 15, 30 and 60 minutes in one area
	registers                  // some meters send their register
	twoMeters                  // some homes have two
	exchanged                  // a meter is replaced half way
	joining                    // a home joins half way
	gaps                       // readings are absent, missing or estimated
	late                       // readings come late, some twice
	dayBlocks                  // a day comes as one block a day later
	outages                    // two in one day; somebody is not back
	announced                  // incidents come, change, are withdrawn and repeated
	jumpingClock               // the run's clock goes back now and then
	nonsense                   // other zones, unaligned starts, readings of the future
	silences                   // meters, and the area, send nothing for hours; the clock goes on
	impossible                 // peaks and stuck values
	directed                   // people say that homes are away, that they are not to be told of, what they found
	enrolled                   // the roster names homes, some unheard, and has dates of coming, going and exchange
	allTroubles    = 1<<iota - 1
)

// troubled is the log of an area of some days with troubles, made of a seed.
func troubled(seed uint64, homes, troubles int) (Params, []ingest.Input) {
	rng := rand.New(rand.NewPCG(seed, uint64(troubles)))
	p := DefaultParams()
	p.MinDays = 1
	has := func(trouble int) bool { return troubles&trouble != 0 }
	if has(dayBlocks) {
		p.UsualDelay = 32 * time.Hour
	}
	const days = 8
	begin, end := day0.UTC(), day0.AddDate(0, 0, days).UTC()
	half := begin.Add(end.Sub(begin) / 2).Truncate(time.Hour)
	dark := begin.Add(time.Duration(4*24+rng.IntN(48)) * time.Hour)
	unheard := begin.Add(time.Duration(2*24+rng.IntN(96)) * time.Hour)

	type arrival struct {
		at time.Time
		in ingest.Input
	}
	var log []arrival
	for h := range homes {
		interval := 30 * time.Minute
		if has(mixedIntervals) {
			interval = []time.Duration{15, 30, 60}[rng.IntN(3)] * time.Minute
		}
		id := fmt.Sprintf("h%02d", h)
		gone := unheard.Add(-time.Duration(rng.IntN(48)) * time.Hour)
		back := gone.Add(time.Duration(rng.IntN(60)) * time.Hour)
		silent := begin.Add(time.Duration(rng.IntN(days*24)) * time.Hour)
		for m := range 2 {
			from, to := begin, end
			switch {
			case has(exchanged) && h%3 == 0 && m == 0:
				to = half
			case has(exchanged) && h%3 == 0:
				from = half
			case m == 1 && (!has(twoMeters) || h%4 != 1):
				continue
			case has(joining) && h == homes-1:
				from = half
			}
			register := has(registers) && rng.IntN(2) == 0
			total := uint32(rng.IntN(10_000_000))
			r := ingest.Readings{MeterID: fmt.Sprintf("m%d-%s", m, id), HouseholdID: id, Zone: "Europe/London", Interval: interval, Register: register}
			for start := from; start.Before(to); start = start.Add(interval) {
				wh := uint32(rng.IntN(30))
				if hour := start.Hour(); hour > 6 && hour < 22 && rng.IntN(3) > 0 && (start.Before(silent) || start.After(silent.Add(30*time.Hour))) {
					wh += uint32(rng.IntN(600))
				}
				since := start.Sub(dark)
				switch {
				case !has(outages):
				case since >= 0 && since < 2*time.Hour, since >= 6*time.Hour && since < 9*time.Hour, h%5 == 2 && since >= 0 && since < 30*time.Hour:
					wh = 0
				}
				if has(impossible) && h%4 == 1 {
					switch {
					case rng.IntN(100) == 0:
						wh = uint32(rng.IntN(40_000))
					case start.After(gone) && start.Before(gone.Add(40*time.Hour)):
						wh = 321
					}
				}
				total += wh
				if has(silences) && (h%3 == 1 && start.After(gone) && start.Before(back) ||
					h > 0 && start.After(unheard) && start.Before(unheard.Add(10*time.Hour))) {
					continue
				}
				value := wh
				if register {
					value = total
				}
				if len(r.Wh) == 0 {
					r.Start, r.Wh, r.Quality = start, nil, ingest.Valid
				}
				if has(gaps) {
					switch rng.IntN(40) {
					case 0:
						value = ingest.NoValue
					case 1:
						r.Quality = ingest.Quality(rng.IntN(5))
					case 2:
						if len(r.Wh) == 0 {
							continue
						}
					}
				}
				r.Wh = append(r.Wh, value)
				at := start.Add(interval)
				if has(dayBlocks) {
					if at.Sub(at.Truncate(24*time.Hour)) != 0 && len(r.Wh) < 96 {
						continue
					}
					at = at.Add(8 * time.Hour)
				}
				if has(late) && rng.IntN(20) == 0 {
					at = at.Add(time.Duration(rng.Int64N(int64(90 * time.Hour))))
				}
				one := r
				r.Wh = nil
				in := ingest.Input{AreaID: "tq", Readings: &one}
				log = append(log, arrival{at, in})
				if has(late) && rng.IntN(20) == 0 {
					log = append(log, arrival{at.Add(time.Duration(rng.IntN(9000)) * time.Second), in})
				}
			}
		}
	}
	for i := 0; has(directed) && i < 30; i++ {
		issued := begin.Add(time.Duration(24+rng.IntN((days-1)*24)) * time.Hour)
		from := issued.Add(time.Duration(rng.IntN(96)-72) * time.Hour)
		h := rng.IntN(max(1, homes-1))
		d := &ingest.Directive{ID: fmt.Sprintf("d-%d", rng.IntN(2)), HouseholdID: fmt.Sprintf("h%02d", h), IssuedAt: issued}
		switch rng.IntN(4) {
		case 0:
			d.Kind, d.Outcome = ingest.Outcome, ingest.OutcomeCauses[rng.IntN(len(ingest.OutcomeCauses))]
		case 1:
			d.Kind, d.From, d.Until = ingest.Mute, from, from.Add(time.Duration(rng.IntN(80))*time.Hour)
		default:
			d.Kind, d.From = ingest.Away, from
			if rng.IntN(3) > 0 {
				d.Until = from.Add(time.Duration(rng.IntN(120)) * time.Hour)
			}
		}
		log = append(log, arrival{issued, ingest.Input{AreaID: "tq", Directive: d}})
	}
	for h := 0; has(enrolled) && h < homes+2; h++ { // two that nobody hears
		told := begin.Add(time.Duration(rng.IntN((days-2)*24)) * time.Hour)
		date := told.Add(time.Duration(rng.IntN(120)-72) * time.Hour)
		id := fmt.Sprintf("h%02d", h)
		r := &ingest.Residence{HouseholdID: id}
		stay := ingest.Stay{MeterID: "m0-" + id, Zone: "Europe/London"}
		other := ingest.Stay{MeterID: "m1-" + id, Zone: "Europe/London"}
		end := end
		switch rng.IntN(7) {
		case 0: // not here any more
			end = told
		case 1, 2:
			stay.Until, end = date, date
			if rng.IntN(2) == 0 {
				stay.To = "elsewhere"
			}
			r.Stays = []ingest.Stay{stay}
		case 3:
			stay.From = date
			r.Stays = []ingest.Stay{stay}
		case 4:
			stay.Until, other.From = half, half
			r.Stays = []ingest.Stay{stay, other}
		case 5:
			other.From, other.Zone = date, "Asia/Shanghai"
			r.Stays = []ingest.Stay{stay, other}
		case 6:
			continue
		}
		log = slices.DeleteFunc(log, func(x arrival) bool { // ingest sends no more of who has left
			return x.in.Readings != nil && x.in.Readings.HouseholdID == id && x.in.Readings.Start.After(end)
		})
		log = append(log, arrival{told, ingest.Input{AreaID: "tq", Residence: r}})
		if rng.IntN(2) == 0 && len(r.Stays) > 0 {
			log = append(log, arrival{told.Add(time.Duration(rng.IntN(96)) * time.Hour), ingest.Input{AreaID: "tq", Residence: r}})
		}
	}
	for at := begin; has(silences) && at.Before(end); at = at.Add(time.Hour) {
		log = append(log, arrival{at, ingest.Input{AreaID: "tq"}})
	}
	if has(announced) {
		for range 12 {
			from := begin.Add(time.Duration(rng.IntN(days*48)) * 30 * time.Minute)
			x := ingest.Incident{
				ID: fmt.Sprintf("pw-%d", rng.IntN(4)), Source: ingest.PowerGrid, Class: []string{ingest.ClassPlannedOutage, ingest.ClassOutage}[rng.IntN(2)],
				State: []ingest.IncidentState{ingest.Reported, ingest.Accepted, ingest.Withdrawn, ingest.Closed}[rng.IntN(4)], From: from,
			}
			if rng.IntN(3) > 0 {
				x.Until = from.Add(time.Duration(rng.IntN(12)) * time.Hour)
			}
			log = append(log, arrival{from.Add(time.Duration(rng.IntN(72)-48) * time.Hour), ingest.Input{AreaID: "tq", Incident: &x}})
		}
	}
	slices.SortStableFunc(log, func(x, y arrival) int { return x.at.Compare(y.at) })
	inputs := make([]ingest.Input, len(log))
	for i, x := range log {
		x.in.Clock = x.at
		if has(jumpingClock) && rng.IntN(10) == 0 {
			x.in.Clock = x.at.Add(-time.Duration(rng.IntN(300)) * time.Minute)
		}
		if r := x.in.Readings; r != nil && has(nonsense) && rng.IntN(30) == 0 {
			odd := *r
			switch rng.IntN(5) {
			case 0:
				odd.Zone = "Mars/Olympus"
			case 1:
				odd.Start = odd.Start.Add(time.Duration(rng.IntN(3600)) * time.Second)
			case 2:
				odd.Start = odd.Start.AddDate(0, 0, 1+rng.IntN(1000))
			case 3:
				odd.Start = time.Unix(rng.Int64N(1<<40)-1<<39, 0)
			case 4:
				odd.Interval = time.Duration(rng.IntN(100)) * time.Minute
			}
			x.in.Readings = &odd
		}
		inputs[i] = x.in
	}
	return p, inputs
}

// tell applies a log and forgives rejections, as the service does.
func tell(t testing.TB, a *Area, log []ingest.Input, out *Output) {
	t.Helper()
	for i := range log {
		var rejection *ingest.Rejection
		if err := a.Apply(&log[i], out); err != nil && !errors.As(err, &rejection) {
			t.Fatal(err)
		}
	}
}

// consistent checks what holds of every area's transitions, whatever came in.
func consistent(t testing.TB, findings []Finding) {
	t.Helper()
	type story struct {
		episode int64
		last    Finding
	}
	stories := make(map[string]*story)
	for _, f := range findings {
		s := stories[f.Subject()]
		switch {
		case f.State == Open:
			if s != nil && (s.last.State != Resolved || f.Episode <= s.episode) {
				t.Errorf("%s opens after %s of %d", f.AlertID(), s.last.State, s.episode)
			}
			if f.Seq != 1 {
				t.Errorf("%s opens with transition %d", f.AlertID(), f.Seq)
			}
			s = &story{episode: f.Episode}
			stories[f.Subject()] = s
		case s == nil || f.Episode != s.episode || f.Seq != s.last.Seq+1 || s.last.State == Resolved:
			t.Fatalf("%s: transition %d is %s out of turn", f.AlertID(), f.Seq, f.State)
		case f.State == Update && f.Severity <= s.last.Severity && f.Kind != Announced:
			t.Errorf("%s: severity goes from %s to %s", f.AlertID(), s.last.Severity, f.Severity)
		}
		if f.At.After(f.DecidedAt.Add(15 * time.Minute)) {
			t.Errorf("%s#%d %s: evidence of %s was judged at %s", f.AlertID(), f.Seq, f.Kind, f.At, f.DecidedAt)
		}
		if _, err := EncodeFinding(&f); err != nil {
			t.Error(err)
		}
		s.last = f
	}
}

func FuzzApply(f *testing.F) {
	for i, troubles := 0, 1; troubles < allTroubles; i, troubles = i+1, troubles<<1 {
		f.Add(uint64(i), uint8(4), uint16(troubles))
	}
	f.Add(uint64(20), uint8(1), uint16(allTroubles))
	f.Add(uint64(24), uint8(9), uint16(silences))
	f.Add(uint64(26), uint8(8), uint16(directed|outages|late))
	f.Add(uint64(25), uint8(10), uint16(silences|impossible|late|gaps|outages))
	f.Add(uint64(27), uint8(8), uint16(enrolled|exchanged|joining|silences|late))
	f.Add(uint64(21), uint8(5), uint16(allTroubles&^dayBlocks))
	f.Add(uint64(23), uint8(5), uint16(allTroubles&^(dayBlocks|nonsense|jumpingClock)))
	f.Fuzz(func(t *testing.T, seed uint64, homes uint8, troubles uint16) {
		p, log := troubled(seed, 1+int(homes)%12, int(troubles)&allTroubles)
		rng := rand.New(rand.NewPCG(seed, 1))
		cut := rng.IntN(len(log))
		out := new(Output)
		a := NewArea(&p, "tq")
		tell(t, a, log[:cut], out)
		saved, err := a.Encode()
		if err != nil {
			t.Fatal(err)
		}
		before := len(out.Findings)
		tell(t, a, log[cut:], out)
		consistent(t, out.Findings)

		b, err := DecodeArea(&p, saved)
		if err != nil {
			t.Fatal(err)
		}
		again, err := b.Encode()
		if err != nil || !bytes.Equal(saved, again) {
			t.Errorf("decoding and encoding changed the state (%v)", err)
		}
		rest := new(Output)
		tell(t, b, log[cut:], rest)
		if want := out.Findings[before:]; len(rest.Findings) != len(want) {
			t.Errorf("restored at %d of %d: %d findings, want %d", cut, len(log), len(rest.Findings), len(want))
		} else {
			for i := range want {
				if !reflect.DeepEqual(rest.Findings[i], want[i]) {
					t.Errorf("restored at %d of %d: finding %d is\n%+v, want\n%+v", cut, len(log), i, rest.Findings[i], want[i])
				}
			}
		}
		x, errX := a.Encode()
		y, errY := b.Encode()
		if err := cmp.Or(errX, errY); err != nil || !bytes.Equal(x, y) {
			t.Errorf("restored at %d of %d: the final state differs (%v)", cut, len(log), err)
		}
	})
}

// Mixed intervals, registers, new meters and homes: the settled state is the
// same when a tenth of the readings come up to four days late.
func FuzzOrderOfArrival(f *testing.F) {
	for i := range 3 {
		f.Add(uint64(i), uint8(3+2*i), uint16(allTroubles))
	}
	f.Add(uint64(9), uint8(9), uint16(silences|impossible|gaps))
	f.Add(uint64(10), uint8(8), uint16(directed|silences|outages))
	f.Add(uint64(11), uint8(8), uint16(enrolled))
	f.Add(uint64(12), uint8(9), uint16(enrolled|exchanged|joining|twoMeters|silences))
	f.Fuzz(func(t *testing.T, seed uint64, homes uint8, troubles uint16) {
		const disordered = late | dayBlocks | jumpingClock | nonsense | announced
		p, log := troubled(seed, 1+int(homes)%12, int(troubles)&allTroubles&^disordered)
		rng := rand.New(rand.NewPCG(seed, 2))
		arrivals := slices.Clone(log)
		for i := range arrivals {
			in := &arrivals[i]
			switch x := rng.Float64(); {
			case in.Directive != nil, in.Residence != nil: // come at once
			case log[len(log)-1].Clock.Sub(in.Clock) < 96*time.Hour: // the end is on time, so that both clocks agree
			case x < 0.03:
				in.Clock = in.Clock.Add(time.Duration(rng.Int64N(int64(95 * time.Hour))))
			case x < 0.1:
				in.Clock = in.Clock.Add(time.Duration(rng.Int64N(int64(3 * time.Hour))))
			}
		}
		slices.SortStableFunc(arrivals, func(x, y ingest.Input) int { return x.Clock.Compare(y.Clock) })
		inOrder, disorder, out := NewArea(&p, "tq"), NewArea(&p, "tq"), new(Output)
		tell(t, inOrder, log, new(Output))
		tell(t, disorder, arrivals, out)
		consistent(t, out.Findings)
		if len(out.TooLate) != 0 {
			t.Errorf("%d readings inside the window were refused", len(out.TooLate))
		}
		if !bytes.Equal(frozen(t, inOrder), frozen(t, disorder)) {
			t.Error("the settled state differs")
		}
	})
}

func FuzzDecodeArea(f *testing.F) {
	p, log := troubled(1, 3, mixedIntervals|registers|exchanged|outages|announced|enrolled)
	for _, cut := range []int{0, 40, len(log) * 3 / 4} {
		a := NewArea(&p, "tq")
		tell(f, a, log[:cut], new(Output))
		b, err := a.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := DecodeArea(&p, b)
		if err != nil {
			return
		}
		tell(t, a, log[:20], new(Output))
		if _, err := a.Encode(); err != nil {
			t.Error(err)
		}
	})
}
