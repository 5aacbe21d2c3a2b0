package intake

import "weimang/ingest"

// Fixed is the roster of a file: it does not change.
func Fixed(homes []ingest.Home) Roster {
	f := NewFollower(nil)
	for meter, homes := range byMeter(homes) {
		f.set(meter, homes)
	}
	close(f.ready)
	return f
}
