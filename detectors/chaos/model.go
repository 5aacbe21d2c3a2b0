package chaos

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sort"

	"weimang/detectors"
	"weimang/detectors/detect"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// model is what the areas' logs come to by themselves: every state and every
// finding is a function of them. It follows the logs of a run, and compares.
type model struct {
	client *stream.Client
	params *detectors.Params
	areas  map[string]*modelArea
	at     map[string][]int64 // the next offset to be read, by topic and partition

	said    map[identity][]byte // transitions that the logs lead to, as JSON
	entries int
	found   map[identity][]byte // transitions as they stand in weimang.findings
	last    map[string]int      // the last transition there, by alert
	repeats int
	saved   map[string]save // the checkpoint of each area that stands for most of its log
	checked int
}

// identity is a transition's: by it a repeat is known.
type identity struct {
	alert string
	seq   int
}

// modelArea is an area, and what its state was after each record of its log.
type modelArea struct {
	*detectors.Area
	partition int
	history   []moment
}

// moment is a state after a record.
type moment struct {
	next int64 // offset behind the record
	sum  [sha256.Size]byte
}

// save is a checkpoint.
type save struct {
	partition int
	next      int64
	state     []byte
}

func newModel(client *stream.Client, params *detectors.Params) *model {
	return &model{
		client: client, params: params, areas: make(map[string]*modelArea), at: make(map[string][]int64),
		said: make(map[identity][]byte), found: make(map[identity][]byte), last: make(map[string]int), saved: make(map[string]save),
	}
}

// read calls fn for what has been added to a topic since the last call.
func (m *model) read(ctx context.Context, topic string, fn func(stream.Record) error) error {
	n, err := m.client.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	if m.at[topic] == nil {
		m.at[topic] = make([]int64, n)
	}
	for p := range n {
		if m.at[topic][p], err = stream.ReadFrom(ctx, m.client, topic, p, m.at[topic][p], fn); err != nil {
			return err
		}
	}
	return nil
}

// check reads what is new and returns what is not as the logs have it, a line
// each. committed are the offsets of detect's group in weimang.inputs: nothing
// is under way any more.
func (m *model) check(ctx context.Context, committed []int64) ([]string, error) {
	if err := m.read(ctx, ingest.TopicInputs, m.apply); err != nil {
		return nil, err
	}
	var wrong []string
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	err := m.read(ctx, ingest.TopicFindings, func(r stream.Record) error {
		f, err := detectors.DecodeFinding(r.Value)
		if err != nil {
			return err
		}
		id := identity{f.AlertID(), f.Seq}
		old, again := m.found[id]
		switch {
		case again && !bytes.Equal(old, r.Value):
			add("alert %s, transition %d: is found with two contents:\n  %s\n  %s", id.alert, id.seq, old, r.Value)
		case again:
			m.repeats++
		case f.Seq != m.last[id.alert]+1:
			add("alert %s: transition %d comes after %d", id.alert, f.Seq, m.last[id.alert])
		}
		if !again {
			m.found[id], m.last[id.alert] = r.Value, f.Seq
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for id, want := range m.said {
		if got, ok := m.found[id]; !ok {
			add("alert %s, transition %d: is missing: %s", id.alert, id.seq, want)
		} else if !bytes.Equal(got, want) {
			add("alert %s, transition %d: is\n  %s, and the log says\n  %s", id.alert, id.seq, got, want)
		}
	}
	for id, got := range m.found {
		if _, ok := m.said[id]; !ok {
			add("alert %s, transition %d: nothing in the log leads to it: %s", id.alert, id.seq, got)
		}
	}
	if err := m.read(ctx, ingest.TopicCheckpoints, func(r stream.Record) error {
		return m.checkpoint(&r, add)
	}); err != nil {
		return nil, err
	}
	m.covered(committed, add)
	sort.Strings(wrong)
	return wrong, nil
}

// apply takes a record of a log in.
func (m *model) apply(r stream.Record) error {
	inputs, err := contract.DecodeInputs(r.Value)
	if err != nil {
		return fmt.Errorf("%s/%d at %d: %w", r.Topic, r.Partition, r.Offset, err)
	}
	if len(inputs) == 0 {
		return nil
	}
	id := inputs[0].AreaID
	a := m.areas[id]
	if a == nil {
		a = &modelArea{Area: detectors.NewArea(m.params, id), partition: r.Partition}
		m.areas[id] = a
	}
	out := new(detectors.Output)
	for i := range inputs {
		m.entries++
		// What it refuses is refused in a run, too.
		_ = a.Apply(&inputs[i], out)
	}
	for i := range out.Findings {
		f := &out.Findings[i]
		value, err := detectors.EncodeFinding(f)
		if err != nil {
			return err
		}
		m.said[identity{f.AlertID(), f.Seq}] = value
	}
	state, err := a.Encode()
	if err != nil {
		return err
	}
	a.history = append(a.history, moment{r.Offset + 1, sha256.Sum256(state)})
	return nil
}

// before is the area's state by the records before an offset; -1: there was
// none.
func (a *modelArea) before(offset int64) int {
	return sort.Search(len(a.history), func(i int) bool { return a.history[i].next > offset }) - 1
}

// checkpoint compares a saved state with what the log comes to up to its
// offset. Also what nobody will ever restore must be right: it is written by a
// worker that believes in it.
func (m *model) checkpoint(r *stream.Record, add func(string, ...any)) error {
	id := string(r.Key)
	var (
		s   save
		err error
	)
	if s.state, s.partition, s.next, err = detect.DecodeCheckpoint(r); err != nil {
		return err
	}
	s.state = slices.Clone(s.state)
	m.checked++
	a := m.areas[id]
	if a == nil || a.before(s.next) < 0 {
		add("area %s: is saved at offset %d, before anything is known of it", id, s.next)
		return nil
	}
	if want := a.history[a.before(s.next)]; want.sum != sha256.Sum256(s.state) {
		add("area %s: what is saved at offset %d is not what the log comes to", id, s.next)
	}
	if s.next >= m.saved[id].next {
		m.saved[id] = s
	}
	return nil
}

// covered finds areas of which a worker that took over now would miss records:
// those behind the saved state and before the committed offset.
func (m *model) covered(committed []int64, add func(string, ...any)) {
	for _, id := range slices.Sorted(maps.Keys(m.areas)) {
		a, s := m.areas[id], m.saved[id]
		if lost := a.before(committed[a.partition]) - a.before(s.next); lost > 0 {
			add("area %s: %d records of its log lie behind its saved state (%d) and before the committed offset (%d)",
				id, lost, s.next, committed[a.partition])
		}
	}
}
