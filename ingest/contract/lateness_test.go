package contract

import (
	"testing"
	"time"

	"weimang/ingest"
)

func TestTheFirstIntervalThatIsNewIsWaitedFor(t *testing.T) {
	midnight := time.Date(2026, 7, 12, 0, 0, 0, 0, time.UTC)
	day := ingest.Block{MeterID: "m", Start: midnight, Interval: 30 * time.Minute, KWh: make([]float64, 48)}
	for name, c := range map[string]struct {
		newest time.Time
		want   time.Duration // after midnight, 0 for nothing new
	}{
		"a meter not heard before":        {time.Time{}, 30 * time.Minute},
		"the day before is there":         {midnight, 30 * time.Minute},
		"a week is missing":               {midnight.AddDate(0, 0, -7), 30 * time.Minute},
		"the day until ten is there":      {midnight.Add(10 * time.Hour), 10*time.Hour + 30*time.Minute},
		"a quarter of an hour more":       {midnight.Add(10*time.Hour + 15*time.Minute), 10*time.Hour + 30*time.Minute},
		"all but the last half-hour":      {midnight.Add(23*time.Hour + 30*time.Minute), 24 * time.Hour},
		"the whole day is there":          {midnight.Add(24 * time.Hour), 0},
		"history of before what is there": {midnight.AddDate(0, 0, 3), 0},
	} {
		end, ok := FirstNew(&day, c.newest)
		if ok != (c.want != 0) || ok && end.Sub(midnight) != c.want {
			t.Errorf("%s: %v %v, want %v after midnight", name, end, ok, c.want)
		}
	}
}

func TestTheUsualDelayThatFits(t *testing.T) {
	l := &Lateness{Usual: 30 * time.Minute}
	if got := l.Fit(); got != 0 {
		t.Errorf("fits no block at all: %v", got)
	}
	for range 60 {
		l.Add(30 * time.Minute) // in time
		l.Add(23*time.Hour + 40*time.Minute)
	}
	for range 37 {
		l.Add(32 * time.Hour)
	}
	for range 3 { // always later than everybody
		l.Add(LongestUsualDelay)
	}
	if l.Add(LongestUsualDelay + time.Second) {
		t.Error("what no usual delay could wait for is called late")
	}
	if l.All != 160 || l.Late != 100 || l.Older != 1 || !l.Most() {
		t.Errorf("%d late of %d, %d older", l.Late, l.All, l.Older)
	}
	twice := &Lateness{Usual: l.Usual}
	twice.Merge(l)
	twice.Merge(l)
	if twice.All != 320 || twice.Late != 200 || twice.Older != 2 || twice.Fit() != l.Fit() || twice.Within(1) != l.Within(1) {
		t.Errorf("twice as many: %+v", twice)
	}
	if got := l.Within(0.5); got != 24*time.Hour {
		t.Errorf("half of them within %v", got)
	}
	if got := l.Fit(); got != 32*time.Hour {
		t.Errorf("fits %v", got)
	}
	if got := l.Within(1); got != LongestUsualDelay {
		t.Errorf("all within %v", got)
	}
}
