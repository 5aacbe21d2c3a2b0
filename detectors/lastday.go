package detectors

// lastDay is what a home used and what was usual, by the hour. The decayed
// sums of belowState decide; these plain ones are what a message can say.
type lastDay struct {
	Hour       tick // the newest hour, counted from 1970
	Use, Usual [24]uint16
}

// ticksAnHour is four quarter-hours.
const ticksAnHour = 4

// add takes in an interval that ends at end, in Wh.
func (d *lastDay) add(end tick, use, usual float64) {
	hour := (end - 1) / ticksAnHour
	if hour-d.Hour >= 24 || d.Hour == 0 {
		*d = lastDay{Hour: hour}
	}
	for ; d.Hour < hour; d.Hour++ {
		next := bucket(d.Hour + 1)
		d.Use[next], d.Usual[next] = 0, 0
	}
	i := bucket(hour)
	d.Use[i] = saturate(float64(d.Use[i]) + use)
	d.Usual[i] = saturate(float64(d.Usual[i]) + usual)
}

// sum is use and usual, in Wh, over the newest hours; the hour that has only
// begun counts as one.
func (d *lastDay) sum(hours int) (use, usual float64) {
	for i := range min(hours, 24) {
		h := bucket(d.Hour - tick(i))
		use += float64(d.Use[h])
		usual += float64(d.Usual[h])
	}
	return use, usual
}

func bucket(hour tick) int { return int((hour%24 + 24) % 24) }

func saturate(x float64) uint16 { return uint16(min(max(x+0.5, 0), 65535)) }
