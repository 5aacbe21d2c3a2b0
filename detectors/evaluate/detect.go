package evaluate

import (
	"slices"

	"weimang/detectors"
)

// never stands for a delay that did not end while the case was watched.
const never = tick(1) << 40

// outcome is what became of one case, delays in ticks from its onset.
type outcome struct {
	push, visit, own tick
	named            detectors.Kind // by the first push that counts
}

// judge compares the pushes of a copy with those of its control: one counts
// only if it was decided after the onset and the control has none of its sort
// by then.
func judge(copied, control []push, onset, until tick, own []detectors.Kind) outcome {
	first := func(ps []push, sort func(*push) bool) (tick, *push) {
		for i := range ps {
			if p := &ps[i]; p.at > onset && p.at <= until && sort(p) {
				return p.at - onset, p
			}
		}
		return never, nil
	}
	delay := func(sort func(*push) bool) (tick, *push) {
		d, p := first(copied, sort)
		if without, _ := first(control, sort); without <= d {
			return never, nil
		}
		return d, p
	}
	var o outcome
	var p *push
	if o.push, p = delay(func(*push) bool { return true }); p != nil {
		o.named = p.kind
	}
	o.visit, _ = delay(func(p *push) bool { return p.visit })
	o.own, _ = delay(func(p *push) bool { return slices.Contains(own, p.kind) })
	return o
}
