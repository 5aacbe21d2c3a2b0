package chaos

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"
	"unicode/utf8"

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
	gave    map[passage][]byte  // homes that they hand over, as entries of other logs
	came    map[passage][]byte  // such entries that stand in the logs
	entries int
	found   map[identity][]byte // transitions as they stand in weimang.findings
	last    map[told]int        // the last transition there
	repeats int
	saved   map[string]save // the checkpoint of each area that stands for most of its log
	checked int
}

// identity is a transition's: by it a repeat is known.
type identity struct {
	alert string
	seq   int
}

func (id identity) String() string { return fmt.Sprintf("alert %s, transition %d", id.alert, id.seq) }

// told is where transitions of an alert stand. Those of a household that moves
// stand where its areas' do, maybe in two partitions, which have no common
// order.
type told struct {
	alert     string
	partition int
}

// passage is the identity of a handover.
type passage struct {
	household, from, to string
	at                  time.Time
	version             int
}

func (p passage) String() string {
	return fmt.Sprintf("household %s, from area %s to %s at %s, version %d", p.household, p.from, p.to, p.at.Format(time.RFC3339), p.version)
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
		said: make(map[identity][]byte), gave: make(map[passage][]byte), came: make(map[passage][]byte), found: make(map[identity][]byte), last: make(map[told]int), saved: make(map[string]save),
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
	var wrong []string
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if err := m.read(ctx, ingest.TopicInputs, func(r stream.Record) error { return m.apply(&r, add) }); err != nil {
		return nil, err
	}
	compare(m.gave, m.came, add)
	err := m.read(ctx, ingest.TopicFindings, func(r stream.Record) error {
		f, err := detectors.DecodeFinding(r.Value)
		if err != nil {
			return err
		}
		id, where := identity{f.AlertID(), f.Seq}, told{f.AlertID(), r.Partition}
		old, again := m.found[id]
		switch {
		case again && !bytes.Equal(old, r.Value):
			add("%s: is found with two contents:\n  %s\n  %s", id, old, r.Value)
		case again:
			m.repeats++
		case f.Seq <= m.last[where]:
			add("%s: comes after transition %d", id, m.last[where])
		}
		if !again {
			m.found[id], m.last[where] = r.Value, f.Seq
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	compare(m.said, m.found, add)
	if err := m.read(ctx, ingest.TopicCheckpoints, func(r stream.Record) error {
		return m.checkpoint(&r, add)
	}); err != nil {
		return nil, err
	}
	m.covered(committed, add)
	sort.Strings(wrong)
	return wrong, nil
}

// compare says how what stands in topics differs from what the logs lead to.
func compare[K interface {
	comparable
	fmt.Stringer
}](want, got map[K][]byte, add func(string, ...any)) {
	for id, w := range want {
		if g, ok := got[id]; !ok {
			add("%s: is missing: %s", id, text(w))
		} else if !bytes.Equal(g, w) {
			add("%s: is\n  %s, and the log says\n  %s", id, text(g), text(w))
		}
	}
	for id, g := range got {
		if _, ok := want[id]; !ok {
			add("%s: nothing in the log leads to it: %s", id, text(g))
		}
	}
}

// text is what a report shows of a transition, or of a state that moves.
func text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return fmt.Sprintf("%d bytes (%.8x)", len(b), sha256.Sum256(b))
}

// apply takes a record of a log in.
func (m *model) apply(r *stream.Record, add func(string, ...any)) error {
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
		if inputs[i].Handover != nil {
			id, entry, err := passed(&inputs[i])
			if err != nil {
				return err
			}
			if old, again := m.came[id]; again && !bytes.Equal(old, entry) {
				add("%s: stands in the log with two contents: %s and %s", id, text(old), text(entry))
			}
			m.came[id] = entry
		}
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
	for i := range out.Handovers {
		if out.Handovers[i].Handover == nil { // consent, of which nobody speaks here
			continue
		}
		id, entry, err := passed(&out.Handovers[i])
		if err != nil {
			return err
		}
		m.gave[id] = entry
	}
	state, err := a.Encode()
	if err != nil {
		return err
	}
	a.history = append(a.history, moment{r.Offset + 1, sha256.Sum256(state)})
	return nil
}

// passed is a handover's identity, and the entry alone.
func passed(in *ingest.Input) (passage, []byte, error) {
	x := in.Handover
	entry, err := contract.EncodeInputs(in.AreaID, []ingest.Input{*in})
	return passage{x.HouseholdID, x.From, in.AreaID, x.At.UTC(), x.Version}, entry, err
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
