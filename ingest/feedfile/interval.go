package feedfile

import (
	"errors"
	"fmt"
	"time"

	"weimang/ingest/contract"
)

// setIntervals gives each meter the interval that is fixed or, when none is,
// the most common step between its own stamps. A meter with too few or too
// scattered readings to tell takes the most common step of the whole feed.
func setIntervals(meters []meter, fixed time.Duration) error {
	all := make(map[uint32]int)
	unsure := false
	for i := range meters {
		m := &meters[i]
		if m.interval = fixed; fixed != 0 {
			continue
		}
		own := make(map[uint32]int)
		for n := 1; n < len(m.rows); n++ {
			if step := m.rows[n].start - m.rows[n-1].start; step > 0 {
				own[step]++
				all[step]++
			}
		}
		if m.interval = mostCommon(own); !contract.ValidInterval(m.interval) {
			m.interval = 0
			unsure = unsure || len(m.rows) > 0
		}
	}
	if !unsure {
		return nil
	}
	common := mostCommon(all)
	switch {
	case common == 0:
		return errors.New("no meter has two readings, so the interval cannot be found; name it: 15m, 30m or 1h")
	case !contract.ValidInterval(common):
		return fmt.Errorf("stamps are mostly %s apart, which is none of 15m, 30m and 1h; sum the readings up, or name the interval", common)
	}
	for i := range meters {
		if meters[i].interval == 0 {
			meters[i].interval = common
		}
	}
	return nil
}

// mostCommon is the step that occurs most often, 0 if there is none. Of steps
// as common as each other it is one that the contract knows, so that a single
// crooked stamp in a short file does not decide, then the shorter one.
func mostCommon(steps map[uint32]int) time.Duration {
	var best time.Duration
	most := 0
	for seconds, n := range steps {
		step := time.Duration(seconds) * time.Second
		known, bestKnown := contract.ValidInterval(step), contract.ValidInterval(best)
		if n > most || n == most && (known && !bestKnown || known == bestKnown && step < best) {
			best, most = step, n
		}
	}
	return best
}
