package detectors

// encodeRoster writes what the roster has said of a home and its meters.
func (h *home) encodeRoster(e *encoder) {
	e.uint(uint64(h.since))
	for _, m := range h.meters {
		e.spans(m.spans)
	}
	r := h.res
	if r == nil {
		e.b = append(e.b, 0)
		return
	}
	e.b = append(e.b, 1)
	e.uint(uint64(len(r.stays)))
	for _, s := range r.stays {
		e.fixed(s.span)
		e.str(s.to)
		e.fixed(s.gave)
	}
	e.uint(uint64(len(r.zones)))
	for _, c := range r.zones {
		e.fixed(c.from)
		e.str(c.zone.loc.String())
	}
	e.fixed(r.took)
	if r.join == nil {
		e.b = append(e.b, 0)
		return
	}
	e.b = append(e.b, 1)
	e.fixed(r.join.at)
	e.bytes(packAlone(nil, &r.join.state, r.join.at))
	e.uint(uint64(len(r.join.meters)))
	for _, m := range r.join.meters {
		e.str(m.id)
		e.fixed(m.state)
	}
}

// roster reads what encodeRoster wrote, once the home's meters are read.
func (d *decoder) roster(a *Area, h *home) {
	if d.version == 1 {
		return
	}
	h.since = d.tick()
	for _, m := range h.meters {
		m.spans = d.spans()
	}
	if !d.flag() {
		return
	}
	r := h.rare()
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		var s stay
		d.fixed(&s.span)
		s.to = d.str()
		d.fixed(&s.gave)
		r.stays = append(r.stays, s)
	}
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		var c zoneChange
		d.fixed(&c.from)
		z, err := a.zoneOf(d.str())
		if err != nil {
			d.err = errDamaged
		}
		c.zone = z
		r.zones = append(r.zones, c)
	}
	d.fixed(&r.took)
	if !d.flag() {
		return
	}
	r.join = new(moved)
	d.fixed(&r.join.at)
	if !unpackAlone(d.bytes(), &r.join.state, r.join.at) {
		d.err = errDamaged
	}
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		m := movedMeter{id: d.str()}
		m.state = d.meterState()
		r.join.meters = append(r.join.meters, m)
	}
}

func (e *encoder) spans(spans []span) {
	e.uint(uint64(len(spans)))
	for _, s := range spans {
		e.fixed(s)
	}
}

func (d *decoder) spans() (spans []span) {
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		var s span
		d.fixed(&s)
		spans = append(spans, s)
	}
	return spans
}

func (d *decoder) tick() tick {
	v := d.uint()
	if v > uint64(lastTick) {
		d.err = errDamaged
		return 0
	}
	return tick(v)
}

func (d *decoder) flag() bool {
	if d.err != nil || len(d.b) == 0 || d.b[0] > 1 {
		d.err = errDamaged
		return false
	}
	set := d.b[0] == 1
	d.b = d.b[1:]
	return set
}

func soundSpans(spans []span) bool {
	for i, s := range spans {
		if s.From < 0 || s.Until < s.From || i > 0 && s.From < spans[i-1].Until {
			return false
		}
	}
	return true
}

// soundRoster: what the roster has said of a decoded home is in range.
func (h *home) soundRoster() bool {
	ok := true
	for _, m := range h.meters {
		ok = ok && soundSpans(m.spans)
	}
	if h.res == nil {
		return ok
	}
	for _, c := range h.res.zones {
		ok = ok && c.from >= 0 && c.from < lastTick
	}
	if j := h.res.join; j != nil {
		ok = ok && j.at > 0 && j.at < lastTick && j.state.sound()
	}
	return ok && soundSpans(spansOf(h.res.stays))
}
