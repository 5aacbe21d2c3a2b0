package simulate

import (
	"time"

	"weimang/ingest/calendar"
)

// routine is how one day of a home goes, in seconds since midnight.
type routine struct {
	wake, breakfast, lunch, dinner, bed float64
	nap                                 span
	out                                 [2]span // errands: nobody in, nothing switched off but what is watched
	guests                              int
	visit                               span // of the guests
	cookLunch, cookDinner               bool
}

// visits is how likely the most sociable home has guests on a feast.
func visits(f calendar.Festival) float64 {
	switch f {
	case calendar.SpringFestival:
		return 0.65
	case calendar.DragonBoat, calendar.MidAutumn:
		return 0.85
	case calendar.NewYear, calendar.LabourDay, calendar.NationalDay, calendar.Qingming:
		return 0.22
	default:
		return 0
	}
}

// routine draws a day: the home's usual hours, each off by what this home is
// used to be off by, and now and then a day of another kind.
func (v *Village) routine(h *home, s *sky, d *dice) routine {
	d.roll(v.opt.Seed, streamRoutine, h.index, s.number)
	var r routine
	winter := clamp((15-s.high)/15, 0, 1) // up later and early to bed in the cold

	r.wake = hour * clamp(d.about(h.wake+0.5*winter, h.spread), 3.8, 9)
	r.breakfast = r.wake + hour*d.between(0.4, 1.2)
	r.lunch = hour * clamp(d.about(h.lunch, 0.6*h.spread), 10.2, 12.8)
	r.dinner = hour * clamp(d.about(h.dinner-0.3*winter, 0.6*h.spread), 15.6, 18.6)
	r.bed = hour * clamp(d.about(h.bed-0.4*winter, h.spread), 18.7, 23.4)
	r.bed = max(r.bed, r.dinner+1.2*hour)

	napFrom, napFor := r.lunch+hour*d.between(0.6, 1.4), hour*d.between(0.5, 1.8)
	if d.chance(h.nap) {
		r.nap = span{napFrom, napFrom + napFor}
	}
	morning := r.breakfast + hour*d.between(0.4, 2)
	if goes, away := d.chance(h.morningOut), hour*d.between(0.4, 1.6); goes {
		r.out[0] = span{morning, min(morning+away, r.lunch-0.5*hour)}
	}
	afternoon := r.lunch + hour*d.between(2.4, 3.6)
	heat := clamp((s.high-31)/5, 0, 0.9) // nobody walks about in it
	if goes, away := d.chance(h.afternoonOut*(1-heat)), hour*d.between(0.8, 2.4); goes {
		r.out[1] = span{afternoon, min(afternoon+away, r.dinner-0.3*hour)}
	}
	r.cookLunch, r.cookDinner = !d.chance(0.07), !d.chance(0.18)
	if d.chance(0.015) { // hospital, market town, a neighbour's feast
		r.out = [2]span{{r.breakfast + 0.5*hour, max(r.breakfast+5*hour, hour*d.between(13, 16.5))}}
		r.cookLunch = false
	}

	likely := visits(s.festival)
	if likely == 0 && (s.weekday == time.Sunday || s.weekday == time.Saturday) {
		likely = 0.08
	}
	come, people := d.chance(likely*h.sociable), 1+d.IntN(4)
	r.visit = span{hour * d.between(9, 11), hour * d.between(17.5, 20)}
	if come {
		r.guests = people
		r.out = [2]span{}
		r.nap = span{}
		r.cookLunch, r.cookDinner = true, true
	}
	return r
}
