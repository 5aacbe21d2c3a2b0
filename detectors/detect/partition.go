package detect

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// partition is the areas of one partition of weimang.inputs for as long as
// this member owns it.
type partition struct {
	s     *Service
	claim *stream.Claim
	areas map[string]*area

	// What the applied inputs led to and no broker has acknowledged yet.
	findings, history, dead []stream.Record
	points                  map[string]*detectors.History
	out                     detectors.Output
}

// area is the state of an area with the offset it stands for.
type area struct {
	*detectors.Area
	next  int64 // the first input not yet in the state
	dirty bool  // changed since it was saved
}

// restore brings back the partition's areas as they were saved and seeks to
// the first input that may be missing from one of them.
func (s *Service) restore(ctx context.Context, c *stream.Claim) (*partition, error) {
	begin := time.Now()
	p := &partition{s: s, claim: c, areas: make(map[string]*area), points: make(map[string]*detectors.History)}
	if s.opts.History {
		p.out.Points = p.point
	}
	inputs, err := s.opts.Client.Partitions(ctx, ingest.TopicInputs)
	if err != nil {
		return nil, fmt.Errorf("restore partition %d: %w", c.Partition(), err)
	}
	n, err := s.opts.Client.Partitions(ctx, ingest.TopicCheckpoints)
	if err != nil {
		return nil, fmt.Errorf("restore partition %d: %w", c.Partition(), err)
	}
	saved := make(map[string][]byte)
	// Every partition is read: the number of partitions may have changed
	// since an area was saved.
	for i := range n {
		_, err := stream.ReadAll(ctx, s.opts.Client, ingest.TopicCheckpoints, i, func(r stream.Record) error {
			c.Alive()
			id := string(r.Key)
			if stream.Partition(r.Key, inputs) != c.Partition() {
				return nil
			}
			if len(r.Value) == 0 {
				delete(saved, id)
				return nil
			}
			// A member that has lost the partition without knowing may have
			// written after the owner: of two states the one that stands for
			// more of the log is the better.
			if old, ok := saved[id]; !ok || savedNext(r.Value, c.Partition()) >= savedNext(old, c.Partition()) {
				saved[id] = slices.Clone(r.Value)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("restore partition %d: %w", c.Partition(), err)
		}
	}
	for id, raw := range saved {
		a, err := decodeCheckpoint(&s.opts.Params, raw, c.Partition())
		if err != nil {
			return nil, fmt.Errorf("restore area %s: %w", id, err)
		}
		p.areas[id] = a
		s.metrics.areas.Inc()
		s.metrics.homes.Add(float64(a.Homes()))
	}
	s.metrics.restore.Observe(time.Since(begin).Seconds())
	s.log.Info("partition restored", "partition", c.Partition(), "areas", len(p.areas), "offset", c.Position(), "seconds", time.Since(begin).Seconds())
	return p, nil
}

// A checkpoint is the partition and the offset its state stands for, then the
// state.
func encodeCheckpoint(a *area, partition int) ([]byte, error) {
	state, err := a.Encode()
	if err != nil {
		return nil, err
	}
	head := binary.AppendUvarint(nil, uint64(partition)) //nolint:gosec // not negative
	return append(binary.AppendUvarint(head, uint64(a.next)), state...), nil
}

func decodeCheckpoint(params *detectors.Params, raw []byte, partition int) (*area, error) {
	_, n := binary.Uvarint(raw)
	_, m := binary.Uvarint(raw[max(n, 0):])
	if n <= 0 || m <= 0 {
		return nil, errors.New("checkpoint without an offset")
	}
	a, err := detectors.DecodeArea(params, raw[n+m:])
	if err != nil {
		return nil, err
	}
	return &area{Area: a, next: max(0, savedNext(raw, partition))}, nil
}

// savedNext is the offset of partition that a checkpoint stands for, -1 when
// it was saved in another: partitions were added since, the area has moved,
// and nothing of what lies in this one is in its state.
func savedNext(raw []byte, partition int) int64 {
	from, n := binary.Uvarint(raw)
	next, _ := binary.Uvarint(raw[max(n, 0):])
	if from != uint64(partition) { //nolint:gosec // not negative
		return -1
	}
	return int64(next) //nolint:gosec // an offset
}

// apply takes records of the log into the areas' states.
func (p *partition) apply(records []stream.Record) {
	for i := range records {
		rec := &records[i]
		inputs, err := contract.DecodeInputs(rec.Value)
		if err != nil {
			p.refuse(rec, ingest.Reject(ingest.NotProtobuf, "", "not a record of this log: %v", err), time.Time{})
			continue
		}
		if len(inputs) == 0 {
			continue
		}
		a := p.area(inputs[0].AreaID)
		if rec.Offset < a.next {
			continue // already in the state
		}
		homes := a.Homes()
		for j := range inputs {
			if err := a.Apply(&inputs[j], &p.out); err != nil {
				p.refuse(rec, err, inputs[j].Clock)
			}
			p.s.metrics.inputs.Inc()
		}
		p.s.metrics.homes.Add(float64(a.Homes() - homes))
		a.next, a.dirty = rec.Offset+1, true
		p.collect(rec, a)
	}
}

func (p *partition) area(id string) *area {
	id = strings.Clone(id)
	a, ok := p.areas[id]
	if !ok {
		a = &area{Area: detectors.NewArea(&p.s.opts.Params, id)}
		p.areas[id] = a
		p.s.metrics.areas.Inc()
	}
	return a
}

// collect turns the output of one record into records to send.
func (p *partition) collect(rec *stream.Record, a *area) {
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
	for _, r := range p.out.TooLate {
		p.refuse(rec, ingest.Reject(ingest.TooLate, "", "a reading of meter %s is older than what can still change", r.MeterID), time.Time{})
	}
	m.duplicates.Add(float64(p.out.Duplicates))
	m.rollovers.Add(float64(p.out.Rollovers))
	m.backward.Add(float64(p.out.Backward))
	p.out = detectors.Output{Findings: p.out.Findings[:0], Points: p.out.Points}
}

// refuse sends a record of the log to the dead letters.
func (p *partition) refuse(rec *stream.Record, err error, clock time.Time) {
	d := contract.DeadLetter{
		Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Reason: ingest.BadField,
		Text: err.Error(), ContentType: "application/x-protobuf", At: clock, Value: rec.Value,
	}
	var rejection *ingest.Rejection
	if errors.As(err, &rejection) {
		d.Reason, d.Field, d.Text = rejection.Reason, rejection.Field, rejection.Text
	}
	value, encodeErr := contract.EncodeDeadLetter(&d)
	if encodeErr != nil {
		p.s.log.Error("dead letter lost", "partition", rec.Partition, "offset", rec.Offset, "error", encodeErr)
		return
	}
	p.dead = append(p.dead, stream.Record{Value: value})
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
		{ingest.TopicDeadLetters, &p.dead},
		{ingest.TopicHistory, &p.history},
	} {
		if len(*out.recs) == 0 {
			continue
		}
		if err := p.s.opts.Producer.Produce(ctx, out.topic, *out.recs); err != nil {
			return err
		}
		*out.recs = (*out.recs)[:0]
	}
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
		value, err := encodeCheckpoint(a, p.claim.Partition())
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
	}
}
