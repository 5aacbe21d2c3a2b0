package detect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/deadletters"
	"weimang/ingest/stream"
)

// partition is the areas of one partition of weimang.inputs for as long as
// this member owns it, and between two generations, see keep.
type partition struct {
	s      *Service
	claim  *stream.Claim
	layout layout // as of the claim
	areas  map[string]*area

	next      int64     // everything before it is applied
	held      int64     // nothing from it on is committed, since an area is set aside; or unknown
	heldSince time.Time // Kafka time of that input
	wall      time.Time // time.Now at the last fetch
	now       time.Time // Options.Now at the last fetch, zero without it
	looked    time.Time // when the areas were last looked at, see tell

	// What is not saved yet, see save.
	unsaved    []*area   // the areas that have changed, in the order of that
	tick       time.Time // when it was last asked which of them are due
	tickBytes  int64     // applied then
	applied    int64     // bytes of the log
	stateBytes int64     // of the areas' last checkpoints
	strayed    int       // areas that are not yet saved in this partition
	stamp      stamp     // of the last save, or attempt at one
	end        int64     // of the partition's checkpoints, after the last own one
	compared   time.Time // when that was last seen to be so

	// What the applied inputs led to and no broker has acknowledged yet.
	findings, history []stream.Record
	handovers         []stream.Record // homes that have moved, for the logs of their new areas
	forward           []stream.Record // to the partitions in which their areas are by now
	dead              []contract.DeadLetter
	points            map[string]*detectors.History
	out               detectors.Output
	arrived           []time.Time // when the readings of a record came to their topic
}

// unknown is no offset.
const unknown = -1

// errPartitionsChanged ends the claim: areas of other partitions have become
// ours, and some of ours have become others'.
var errPartitionsChanged = errors.New("the number of partitions has changed")

// apply takes the records of a batch into the areas' states.
func (p *partition) apply(ctx context.Context, batch stream.Batch) error {
	if len(batch.Records) > 0 && batch.Records[0].Offset < p.next {
		p.goBack(batch.Records[0].Offset)
	}
	for i := range batch.Records {
		rec := &batch.Records[i]
		p.applied += int64(len(rec.Value))
		if a := p.areas[string(rec.Key)]; a != nil && rec.Offset < a.next {
			continue // already in the state
		}
		inputs := p.decode(rec)
		if len(inputs) == 0 {
			continue
		}
		if stream.Partition([]byte(inputs[0].AreaID), p.layout.Inputs) != p.claim.Partition() {
			of, err := p.s.opts.Client.Partitions(ctx, ingest.TopicInputs)
			if err != nil {
				return fmt.Errorf("apply partition %d: %w", p.claim.Partition(), err)
			}
			if of != p.layout.Inputs {
				return errPartitionsChanged
			}
			// Written before partitions were added, or by a producer that did
			// not know it yet. Whoever has the area now has followed it until
			// then, if it was ever saved; once more does no harm.
			p.s.metrics.strayed.Inc()
			p.forward = append(p.forward, stream.Record{Key: rec.Key, Value: rec.Value, Headers: rec.Headers})
			continue
		}
		if err := p.take(rec, inputs); err != nil {
			return err
		}
	}
	p.next = batch.Next
	return nil
}

// goBack makes the areas hear again from an offset on: the log was lost or made
// anew, and what now comes at the offsets that they know is not what they know.
func (p *partition) goBack(to int64) {
	for _, a := range p.areas {
		a.next = min(a.next, to)
		a.saved.offset = min(a.saved.offset, to)
	}
	if p.held != unknown {
		p.held = min(p.held, to)
	}
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
func (p *partition) take(rec *stream.Record, inputs []ingest.Input) error {
	if len(inputs) == 0 {
		return nil
	}
	a := p.area(inputs[0].AreaID)
	if rec.Offset < a.next {
		return nil // already in the state
	}
	if err := p.wake(a); err != nil {
		return err
	}
	if a.broken {
		if p.held == unknown {
			p.held, p.heldSince = rec.Offset, rec.Time
		}
		return nil
	}
	p.changed(a, rec)
	for j := range inputs {
		if err := a.state.Apply(&inputs[j], &p.out); err != nil {
			p.refuseInput(rec, err, inputs[j])
		}
		for _, r := range p.out.TooLate {
			late := ingest.Input{AreaID: a.id, Clock: inputs[j].Clock, Readings: r}
			p.refuseInput(rec, ingest.Reject(ingest.TooLate, "", "a reading of meter %s is older than what can still change", r.MeterID), late)
		}
		p.out.TooLate = p.out.TooLate[:0]
		p.s.metrics.inputs.Inc()
	}
	homes, unheard := a.homes, a.unheard
	a.look()
	p.s.metrics.homes.Add(float64(a.homes - homes))
	p.s.metrics.unheard.Add(float64(a.unheard - unheard))
	a.next, a.heard = rec.Offset+1, p.now
	p.collect(a)
	if ms, ok := rec.Header(ingest.ArrivedHeader); ok {
		if n, err := strconv.ParseInt(ms, 10, 64); err == nil {
			p.arrived = append(p.arrived, time.UnixMilli(n))
		}
	}
	return nil
}

// area is the area of that id, made when it is new.
func (p *partition) area(id string) *area {
	a, ok := p.areas[id]
	if !ok {
		id = strings.Clone(id)
		a = &area{id: id, state: detectors.NewArea(&p.s.opts.Params, id), partition: p.claim.Partition(), save: unknown}
		p.areas[id] = a
		p.s.metrics.count(a, 1)
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
		p.findings = append(p.findings, stream.Record{Key: []byte(a.id), Value: value})
		m.findings.WithLabelValues(string(f.Kind), f.Severity.String(), string(f.State)).Inc()
	}
	for i := range p.out.Handovers {
		in := &p.out.Handovers[i]
		value, err := contract.EncodeInputs(in.AreaID, p.out.Handovers[i:i+1])
		if err != nil { // cannot be: the area was read from a log
			p.s.log.Error("handover lost", "area", a.id, "error", err)
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
	m.unwanted.Add(float64(p.out.Unwanted))
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
		{ingest.TopicInputs, &p.forward},
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
	if len(p.arrived) > 0 {
		now := time.Now()
		for _, at := range p.arrived {
			p.s.metrics.passage.Observe(max(0, now.Sub(at).Seconds()))
		}
		p.arrived = p.arrived[:0]
	}
	return nil
}

// forget takes the partition out of the gauges.
func (p *partition) forget() {
	for _, a := range p.areas {
		p.s.metrics.count(a, -1)
	}
}
