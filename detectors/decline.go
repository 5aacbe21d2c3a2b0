package detectors

import "math"

// slowState follows a home's share of its neighbours' use over weeks.
type slowState struct {
	Day             int32   // local day under way
	Wh              float32 // above base, of that day
	Hours, Busy     float32 // of it that were heard, and in which something was used
	Share           float32 // ln of the last complete day's use
	Known           bool    // Share is of a day with somebody there
	Told            bool    // this drop has been told of: once is enough
	Usual           float32 // hours in which something is used, of a day
	Days            float32 // days taken in
	Fast, Mid, Slow float32 // means of ln use less the neighbours', over ten days, three weeks and two months
	Area            float32 // the neighbours' mean over two months
	Var             float32 // of a day's about Fast
	Score           float32 // the drop in standard deviations of a day
}

const (
	fastDays = 10
	midDays  = 21
	slowDays = 60
	// declineKnown is the history a comparison of weeks needs.
	declineKnown = 28
	// declineEffect is the least drop worth a word, ln: by a quarter.
	declineEffect = 0.25
	// farDay bounds what one day can say, in standard deviations of a day.
	farDay = 2
	// declineVar is the prior variance of a day, worth declineVarDays, of
	// varDays that count; declineSD is added, so that a home whose days are all
	// alike is not told of for nothing.
	declineVar, declineVarDays, varDays = 0.1, 10, 90
	declineSD                           = 0.2
	// A day on which less was going on is one on which nobody was there: hours,
	// and as a share of what is usual.
	busyHours, busyShare = 1, 0.15
	busyDays             = 30
)

// gather adds an interval to the day under way, busy when something was used
// in it; it reports the day's end.
func (s *slowState) gather(day int32, hours, above float64, busy bool) (ended bool) {
	if day != s.Day {
		ended = s.Day != 0
		s.Known = ended && s.Hours >= 20 && s.Busy >= busyHours && s.Busy >= busyShare*s.Usual
		s.Share = float32(math.Log(float64(s.Wh) + 300))
		if ended && s.Hours >= 20 { // a lasting new normal is learned
			s.Usual += (s.Busy - s.Usual) / min(s.Days+1, busyDays)
		}
		s.Day, s.Wh, s.Hours, s.Busy = day, 0, 0, 0
	}
	s.Wh += float32(above)
	s.Hours += float32(hours)
	if busy {
		s.Busy += float32(hours)
	}
	return ended
}

// observeDecline compares weeks once a day, season and neighbours taken out:
// the mean of ten days' use, less what the neighbours explain, against those of
// three weeks and of two months, which a slow change carries along later and
// later (change of a mean seen by exponentially weighted averages; Roberts
// 1959). Days on which nobody was there say nothing.
func observeDecline(p *Params, st *homeState, o *observation, area float64) {
	s, sig := &st.Slow, &st.Signals[sigDecline]
	if !s.Known || st.Signals[sigLife].Severity != 0 {
		return
	}
	s.Days = min(s.Days+1, 10000)
	if s.Days == 1 {
		s.Area = float32(area)
	}
	s.Area += (float32(area) - s.Area) / min(s.Days, slowDays)
	// What a summer does to all, as far as this home follows, is no decline.
	follow := st.Day.beta() * (area - float64(s.Area))
	x := float64(s.Share) - follow
	if s.Days == 1 {
		s.Fast, s.Mid, s.Slow = float32(x), float32(x), float32(x)
	}
	n := float64(min(s.Days, varDays))
	sd := math.Sqrt((float64(s.Var)*n + declineVar*declineVarDays) / (n + declineVarDays))
	x = min(max(x, float64(s.Fast)-farDay*sd), float64(s.Fast)+farDay*sd)
	delta := x - float64(s.Fast)
	s.Var += float32((delta*delta - float64(s.Var)) / n)
	s.Fast += (float32(x) - s.Fast) / min(s.Days, fastDays)
	s.Mid += (float32(x) - s.Mid) / min(s.Days, midDays)
	s.Slow += (float32(x) - s.Slow) / min(s.Days, slowDays)
	drop := float64(s.Slow - s.Fast)
	score := (drop + float64(s.Mid-s.Fast)) / (sd + declineSD)
	s.Score = float32(score)
	rate := st.Tails.judge(p, detDecline, score)
	if s.Days < declineKnown {
		return
	}
	if sig.Severity != 0 && drop < declineEffect/2 {
		*sig, s.Told = signal{}, false
	}
	if severity := p.severity(detDecline, rate); severity > sig.Severity && drop >= declineEffect {
		usual := math.Exp(float64(s.Slow) + follow)
		*sig = signal{
			Severity: severity, Cause: code(Causes, CauseLess), Onset: o.end - 21*ticksADay, At: o.end, Hours: 7 * 24,
			Value: float32(7 * math.Exp(float64(s.Fast)+follow)), Usual: float32(7 * usual), Rate: float32(rate),
		}
	}
}
