package detectors

// share is a frequency between 0 and 1 in steps of 1/65535: half the room of a
// float32, and the same in memory and in a checkpoint.
type share uint16

const shareOne = 65535

func shareOf(x float64) share {
	return share(min(max(x*shareOne+0.5, 0), shareOne))
}

func (s share) float() float64 { return float64(s) / shareOne }

// toward moves the share to 1 when hit, to 0 when not, by a part of the way.
func (s *share) toward(hit bool, part float32) {
	to := float32(0)
	if hit {
		to = shareOne
	}
	*s = share(float32(*s) + part*(to-float32(*s)) + 0.5)
}
