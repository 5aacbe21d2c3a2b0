package detectors

// share is a frequency between 0 and 1 in steps of 1/65535: half the room of a
// float32, and the same in memory and in a checkpoint.
type share uint16

const shareOne = 65535

func shareOf(x float64) share {
	return share(min(max(x*shareOne+0.5, 0), shareOne))
}

func (s share) float() float64 { return float64(s) / shareOne }

// toward moves the share to shareOne or to 0 by a part of the way.
func (s *share) toward(to, part float32) {
	*s = share(float32(*s) + part*(to-float32(*s)) + 0.5)
}

// fully is shareOne when hit, 0 when not.
func fully(hit bool) float32 {
	if hit {
		return shareOne
	}
	return 0
}
