package detect

import (
	"errors"
	"fmt"
	"time"

	"weimang/detectors"
)

// area is the state of an area with the offset it stands for.
type area struct {
	id string
	// state is nil until the area is needed: what was restored stays encoded
	// in raw, so that a partition is ready once its states are read.
	state *detectors.Area
	raw   []byte

	// What the state says, known without decoding it.
	homes, unheard int
	watermark      time.Time

	partition int       // of weimang.inputs that the state comes from
	next      int64     // the first input there that is not yet in the state
	heard     time.Time // Options.Now when something last came, at the claim at the earliest

	// broken: the state cannot be read. The area is set aside, see setAside.
	broken bool

	from  place // where its last checkpoint lies
	saved unsavedSince
	size  int // bytes of its last checkpoint
	save  int // number of its last write, see stamp.Save
	// strayed: it was found in another partition, and is not yet saved in this.
	strayed bool
}

// wake decodes the state of a restored area.
func (a *area) wake(p *detectors.Params) error {
	if a.state != nil {
		return nil
	}
	state, err := detectors.DecodeArea(p, a.raw)
	if err == nil && state.ID() != a.id {
		err = fmt.Errorf("state is of area %s", state.ID())
	}
	if err != nil {
		return err
	}
	a.state, a.raw = state, nil
	a.look()
	return nil
}

// look notes what the state says.
func (a *area) look() {
	a.homes, a.unheard, a.watermark = a.state.Homes(), a.state.Unheard(), a.state.Watermark()
}

// count adds the area to the gauges, or with -1 takes it out.
func (m *metrics) count(a *area, sign float64) {
	m.areas.Add(sign)
	m.homes.Add(sign * float64(a.homes))
	m.unheard.Add(sign * float64(a.unheard))
	if a.broken {
		m.broken.Add(sign)
	}
}

// wake makes an area's state ready for its next input. An area whose state
// cannot be read is set aside, and that is no error. A version that this
// program does not know is: it is the wrong program then, for all areas.
func (p *partition) wake(a *area) error {
	if a.broken || a.state != nil {
		return nil
	}
	m := p.s.metrics
	m.count(a, -1)
	err := a.wake(&p.s.opts.Params)
	m.count(a, 1)
	if errors.Is(err, detectors.ErrStateVersion) {
		return fmt.Errorf("area %s: %w", a.id, err)
	}
	if err != nil {
		p.setAside(a, err)
	}
	return nil
}

// setAside leaves out an area whose state cannot be read, and says so. The
// others go on. Nothing is lost as long as weimang.inputs keeps what comes: no
// offset behind the area's first input is committed any more, so a program that
// can read the state, or a state that was given up (a tombstone), begins there.
func (p *partition) setAside(a *area, err error) {
	homes := a.homes
	p.s.metrics.count(a, -1)
	a.broken, a.state, a.raw, a.homes, a.unheard = true, nil, nil, 0, 0
	p.s.metrics.count(a, 1)
	if a.partition != p.claim.Partition() {
		p.held = p.claim.Start // its log goes on elsewhere, and is not followed
	}
	p.s.log.Error("the state of an area cannot be read: the area is NOT WATCHED until that is mended",
		"area", a.id, "homes", homes, "partition", p.claim.Partition(), "offset", a.next,
		"checkpoint_partition", a.from.partition, "checkpoint_offset", a.from.offset, "error", err)
}
