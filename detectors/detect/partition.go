package detect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/deadletters"
	"weimang/ingest/stream"
)

// partition is the areas of one partition of weimang.inputs for as long as
// this member owns it.
type partition struct {
	s     *Service
	claim *stream.Claim
	of    int // partitions of weimang.inputs, as of the claim
	areas map[string]*area

	now    time.Time // Options.Now at the last fetch, zero without it
	looked time.Time // when the areas were last looked at, see tell

	// What the applied inputs led to and no broker has acknowledged yet.
	findings, history []stream.Record
	handovers         []stream.Record // homes that have moved, for the logs of their new areas
	dead              []contract.DeadLetter
	points            map[string]*detectors.History
	out               detectors.Output
}

// area is the state of an area with the offset it stands for.
type area struct {
	*detectors.Area
	partition int       // of weimang.inputs that the state comes from
	next      int64     // the first input there that is not yet in the state
	dirty     bool      // changed since it was saved
	heard     time.Time // Options.Now when something last came, at the claim at the earliest
}

// errPartitionsChanged makes the claim begin anew: areas of other partitions
// have become ours.
var errPartitionsChanged = errors.New("the number of partitions has changed")

// apply takes records of the log into the areas' states.
func (p *partition) apply(ctx context.Context, records []stream.Record) error {
	for i := range records {
		rec := &records[i]
		inputs := p.decode(rec)
		if len(inputs) == 0 {
			continue
		}
		if stream.Partition([]byte(inputs[0].AreaID), p.of) != p.claim.Partition() {
			of, err := p.s.opts.Client.Partitions(ctx, ingest.TopicInputs)
			if err != nil {
				return fmt.Errorf("apply partition %d: %w", p.claim.Partition(), err)
			}
			if of != p.of {
				return errPartitionsChanged
			}
			p.s.metrics.strayed.Inc() // from before: whoever has the area now has followed it
			continue
		}
		p.take(rec, inputs)
	}
	return nil
}

// decode reads a record; one that is no inputs goes to the dead letters.
func (p *partition) decode(rec *stream.Record) []ingest.Input {
	inputs, err := contract.DecodeInputs(rec.Value)
	if err != nil {
		p.refuse(rec, ingest.Reject(ingest.NotProtobuf, "", "not a record of this log: %v", err), rec.Value, time.Time{})
		return nil
	}
	return inputs
}

// take brings the state of an area on by one record.
func (p *partition) take(rec *stream.Record, inputs []ingest.Input) {
	if len(inputs) == 0 {
		return
	}
	a := p.area(inputs[0].AreaID)
	if rec.Offset < a.next {
		return // already in the state
	}
	homes, unheard := a.Homes(), a.Unheard()
	for j := range inputs {
		if err := a.Apply(&inputs[j], &p.out); err != nil {
			p.refuseInput(rec, err, inputs[j])
		}
		for _, r := range p.out.TooLate {
			late := ingest.Input{AreaID: a.ID(), Clock: inputs[j].Clock, Readings: r}
			p.refuseInput(rec, ingest.Reject(ingest.TooLate, "", "a reading of meter %s is older than what can still change", r.MeterID), late)
		}
		p.out.TooLate = p.out.TooLate[:0]
		p.s.metrics.inputs.Inc()
	}
	p.s.metrics.homes.Add(float64(a.Homes() - homes))
	p.s.metrics.unheard.Add(float64(a.Unheard() - unheard))
	a.next, a.dirty, a.heard = rec.Offset+1, true, p.now
	p.collect(a)
}

func (p *partition) area(id string) *area {
	id = strings.Clone(id)
	a, ok := p.areas[id]
	if !ok {
		a = &area{Area: detectors.NewArea(&p.s.opts.Params, id), partition: p.claim.Partition()}
		p.areas[id] = a
		p.s.metrics.areas.Inc()
	}
	return a
}

// collect turns the output of one record into records to send.
func (p *partition) collect(a *area) {
	m := p.s.metrics
	for i := range p.out.Findings {
		f := &p.out.Findings[i]
		value, err := detectors.EncodeFinding(f)
		if err != nil { // cannot be: every field has a JSON form
			p.s.log.Error("finding lost", "alert", f.AlertID(), "error", err)
			continue
		}
		p.findings = append(p.findings, stream.Record{Key: []byte(a.ID()), Value: value})
		m.findings.WithLabelValues(string(f.Kind), f.Severity.String(), string(f.State)).Inc()
	}
	for i := range p.out.Handovers {
		in := &p.out.Handovers[i]
		value, err := contract.EncodeInputs(in.AreaID, p.out.Handovers[i:i+1])
		if err != nil { // cannot be: the area was read from a log
			p.s.log.Error("handover lost", "area", a.ID(), "error", err)
			continue
		}
		p.handovers = append(p.handovers, stream.Record{Key: []byte(in.AreaID), Value: value})
		m.handovers.Inc()
	}
	m.duplicates.Add(float64(p.out.Duplicates))
	m.rollovers.Add(float64(p.out.Rollovers))
	m.backward.Add(float64(p.out.Backward))
	m.peaks.Add(float64(p.out.Peaks))
	m.stuck.Add(float64(p.out.Stuck))
	p.out = detectors.Output{Findings: p.out.Findings[:0], Handovers: p.out.Handovers[:0], TooLate: p.out.TooLate[:0], Points: p.out.Points}
}

// refuseInput sends one entry of a record to the dead letters, alone: the
// others may be many, and good.
func (p *partition) refuseInput(rec *stream.Record, err error, in ingest.Input) {
	value, encodeErr := contract.EncodeInputs(in.AreaID, []ingest.Input{in})
	if encodeErr != nil { // cannot be: it has just been decoded
		value = rec.Value
	}
	p.refuse(rec, err, value, in.Clock)
}

// refuse sends what could not be used of a record to the dead letters.
func (p *partition) refuse(rec *stream.Record, err error, raw []byte, clock time.Time) {
	var rejection *ingest.Rejection
	if !errors.As(err, &rejection) {
		rejection = ingest.Reject(ingest.BadField, "", "%v", err)
	}
	d := deadletters.New(rec, rejection, clock)
	d.ContentType, d.Value = contract.Protobuf, raw
	p.dead = append(p.dead, d)
	p.s.metrics.refused.WithLabelValues(string(d.Reason)).Inc()
}

// point gathers the history of one batch by household.
func (p *partition) point(areaID, householdID string, u detectors.UsePoint) {
	h, ok := p.points[householdID]
	if !ok {
		h = &detectors.History{HouseholdID: householdID, AreaID: areaID}
		p.points[householdID] = h
	}
	h.Points = append(h.Points, u)
}

// send hands over what has been applied; it is forgotten once acknowledged.
func (p *partition) send(ctx context.Context) error {
	if len(p.points) > 0 {
		for id, h := range p.points {
			value, err := json.Marshal(h)
			if err != nil {
				return fmt.Errorf("encode history: %w", err)
			}
			p.history = append(p.history, stream.Record{Key: []byte(id), Value: value})
		}
		clear(p.points)
	}
	for _, out := range []struct {
		topic string
		recs  *[]stream.Record
	}{
		{ingest.TopicFindings, &p.findings},
		{ingest.TopicHistory, &p.history},
		// Before the area is saved, which will not say it again.
		{ingest.TopicInputs, &p.handovers},
	} {
		if len(*out.recs) == 0 {
			continue
		}
		if err := p.s.opts.Producer.Produce(ctx, out.topic, *out.recs); err != nil {
			return err
		}
		*out.recs = (*out.recs)[:0]
	}
	if err := deadletters.Bury(ctx, p.s.opts.Producer, p.dead); err != nil {
		return err
	}
	p.dead = p.dead[:0]
	return nil
}

// save writes the changed areas, then commits everything before next.
func (p *partition) save(ctx context.Context, next int64) error {
	var recs []stream.Record
	var changed []*area
	size := 0
	generation := []byte(fmt.Sprint(p.claim.Generation))
	flush := func() error {
		if len(recs) == 0 {
			return nil
		}
		if err := p.s.opts.Producer.Produce(ctx, ingest.TopicCheckpoints, recs); err != nil {
			return err
		}
		for _, a := range changed {
			a.dirty = false
		}
		p.s.metrics.checkpoints.Add(float64(len(recs)))
		p.s.metrics.checkpointBytes.Add(float64(size))
		p.claim.Alive()
		recs, changed, size = recs[:0], changed[:0], 0
		return nil
	}
	for id, a := range p.areas {
		if !a.dirty {
			continue
		}
		value, err := encodeCheckpoint(a)
		if err != nil {
			return fmt.Errorf("save area %s: %w", id, err)
		}
		recs = append(recs, checkpointRecord(id, value, generation))
		changed, size = append(changed, a), size+len(value)
		if size >= saveBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return p.claim.Commit(ctx, next)
}

// saveBytes bounds what one request of a save holds in memory.
const saveBytes = 4 << 20

// finish is the last flush of a generation: what has been applied is sent,
// saved and committed, in this order, with the time the group leaves for it.
func (p *partition) finish(c *stream.Claim) error {
	ctx := c.FlushContext()
	if err := p.send(ctx); err != nil {
		return fmt.Errorf("last findings of partition %d: %w", c.Partition(), err)
	}
	if err := p.save(ctx, c.Position()); err != nil && !errors.Is(err, stream.ErrFenced) {
		return fmt.Errorf("last checkpoint of partition %d: %w", c.Partition(), err)
	}
	return nil
}

// forget takes the partition out of the gauges.
func (p *partition) forget() {
	for _, a := range p.areas {
		p.s.metrics.areas.Dec()
		p.s.metrics.homes.Sub(float64(a.Homes()))
		p.s.metrics.unheard.Sub(float64(a.Unheard()))
	}
}
