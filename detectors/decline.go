package detectors

import "math"

// slowState follows a home's share of its neighbours' use over weeks.
type slowState struct {
	Day        int32   // local day under way
	Wh         float32 // above base, of that day
	Hours      float32 // of it that were heard
	Share      float32 // ln of the last complete day's use
	Known      bool    // Share is of an ordinary day
	Days       float32 // days taken in
	Fast, Slow float32 // means of ln use less the neighbours', over ten days and over two months
	Area       float32 // the neighbours' mean over two months
	Var        float32 // of Fast − Slow
	Score      float32 // the drop in its own standard deviations
}

const (
	fastDays = 10
	slowDays = 60
	// declineKnown is the history a comparison of weeks needs.
	declineKnown = 28
	// declineEffect is the least drop worth a word, ln: by a quarter.
	declineEffect = 0.3
	// farDay bounds what one day can say, ln.
	farDay = 0.3
	// declineVar is the prior variance of Fast − Slow, worth declineVarDays.
	declineVar, declineVarDays = 0.03, 30
)

// gather adds an interval to the day under way; it reports the day's end.
func (s *slowState) gather(day int32, hours, above float64) (ended bool) {
	if day != s.Day {
		ended = s.Day != 0
		s.Known = ended && s.Hours >= 20
		s.Share = float32(math.Log(float64(s.Wh) + 300))
		s.Day, s.Wh, s.Hours = day, 0, 0
	}
	s.Wh += float32(above)
	s.Hours += float32(hours)
	return ended
}

// observeDecline compares weeks once a day, season and neighbours taken out:
// the mean of ten days' use, less what the neighbours explain, against that of
// two months, which a slow change does not carry along (change of a mean seen by
// two exponentially weighted averages; Roberts 1959).
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
	if s.Days > 1 {
		x = min(max(x, float64(s.Fast)-farDay), float64(s.Fast)+farDay)
	}
	if s.Days == 1 {
		s.Fast, s.Slow = float32(x), float32(x)
	}
	s.Fast += (float32(x) - s.Fast) / min(s.Days, fastDays)
	s.Slow += (float32(x) - s.Slow) / min(s.Days, slowDays)
	drop := float64(s.Slow - s.Fast)
	n := float64(min(s.Days, 2*slowDays))
	sd := math.Sqrt((float64(s.Var)*n + declineVar*declineVarDays) / (n + declineVarDays))
	score := drop / sd
	s.Score = float32(score)
	s.Var += float32((drop*drop - float64(s.Var)) / n)
	rate := st.Tails[detDecline].judge(p, detDecline, score)
	if s.Days < declineKnown {
		return
	}
	if sig.Severity != 0 && drop < declineEffect/2 {
		*sig = signal{}
	}
	if severity := p.severity(detDecline, rate); severity > sig.Severity && drop >= declineEffect {
		usual := math.Exp(float64(s.Slow) + follow)
		*sig = signal{
			Severity: severity, Cause: code(Causes, CauseLess), Onset: o.end - 21*ticksADay, At: o.end, Hours: 7 * 24,
			Value: float32(7 * math.Exp(float64(s.Fast)+follow)), Usual: float32(7 * usual), Rate: float32(rate),
		}
	}
}
