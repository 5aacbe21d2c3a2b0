package detectors

import "time"

// Features is what the pooled models see of a home, to fit them; valid until
// the next call.
type Features struct {
	At     time.Time          // end of the interval
	Life   *LifeFeatures      // each half-hour, once the home is known; or nil
	Day    *DayFeatures       // each hour, once the home is known; or nil
	Stuck  *StuckFeatures     // each half-hour of strong use, once the home is known; or nil
	Silent float64            // hours since the last sign of use
	Scores [detectors]float64 // of each detector; NaN: not judged in this interval
}
