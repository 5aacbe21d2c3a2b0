package detectors

import "time"

// backfill is a run of old readings, with which history is being filled in:
// what they show may be over by the next record, so nothing opens meanwhile.
// Once nothing more has come for a while, or it has gone on for long, what is
// known is told, however old it is.
type backfill struct {
	Began, Last int64 // clock of the first and the newest input, Unix ms
}

// Inputs that end more than backfillAge before the usual delay are back-fill.
// A run of them ends with a pause of backfillPause; a meter that is always
// that late is believed after backfillLong.
const (
	backfillAge   = 3 * time.Hour
	backfillPause = 30 * time.Minute
	backfillLong  = 2 * time.Hour
)

func (f *backfill) more(now time.Time) {
	ms := now.UnixMilli()
	if ms-f.Last >= backfillPause.Milliseconds() {
		f.Began = ms
	}
	f.Last = ms
}

func (f *backfill) goesOn(now time.Time) bool {
	ms := now.UnixMilli()
	return ms-f.Last < backfillPause.Milliseconds() && ms-f.Began < backfillLong.Milliseconds()
}
