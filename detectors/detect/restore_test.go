package detect

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/stream"
)

// sameHome are ids of areas that lie in one partition of the log, tq-0 first.
func sameHome(n int) (ids []string) {
	for i := 0; len(ids) < n; i++ {
		if id := fmt.Sprintf("tq-%d", i); stream.Partition([]byte(id), partitions) == home {
			ids = append(ids, id)
		}
	}
	return ids
}

// at is a stamp of one epoch.
func at(generation, save int) stamp { return stamp{Generation: generation, Save: save} }

// What lies in the topic was written by owners one after the other and, between
// them, by those who had lost the area. The owner's counts; and where only
// another's is left, the log is read again from where that stands.
func TestARestoreGoesOnFromWhatTheOwnersSaved(t *testing.T) {
	ids := sameHome(2)
	a, b := ids[0], ids[1]
	type rec struct {
		area string
		stamp
		next int64
	}
	for name, tc := range map[string]struct {
		recs   []rec
		next   int64 // of area a
		from   int64 // where the log is read on; the group has committed 100
		again  bool  // a is saved once more
		late   bool  // by then a zombie has
		stamps stamp // of the next owner, whose generation is 1
	}{
		"one after the other":       {[]rec{{a, at(1, 1), 50}, {b, at(1, 2), 70}, {a, at(1, 3), 90}}, 90, 100, false, false, at(1, 3)},
		"an area long since quiet":  {[]rec{{a, at(1, 1), 5}, {b, at(1, 2), 100}}, 5, 100, false, false, at(1, 2)},
		"a zombie with less":        {[]rec{{a, at(1, 2), 90}, {a, at(0, 9), 60}}, 90, 100, true, false, at(1, 2)},
		"a zombie with more":        {[]rec{{a, at(1, 2), 60}, {a, at(0, 9), 90}}, 60, 100, true, false, at(1, 2)},
		"a zombie's alone is left":  {[]rec{{b, at(1, 2), 99}, {a, at(0, 9), 60}}, 60, 60, true, false, at(1, 2)},
		"a lost request comes late": {[]rec{{a, at(1, 4), 90}, {a, at(1, 3), 60}}, 90, 100, true, false, at(1, 4)},
		"a batch twice":             {[]rec{{a, at(1, 4), 90}, {b, at(1, 4), 80}, {a, at(1, 4), 90}, {b, at(1, 4), 80}}, 90, 100, false, false, at(1, 4)},
		"the group began anew":      {[]rec{{a, at(7, 4), 90}}, 90, 100, false, false, stamp{Epoch: 1, Generation: 1}},
		"and once more":             {[]rec{{a, at(7, 4), 80}, {a, stamp{Epoch: 1, Generation: 1, Save: 5}, 90}}, 90, 100, false, false, stamp{Epoch: 1, Generation: 1, Save: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.append(silentHomes(1)[:400]) // 200 records of tq-0
			params := detectors.DefaultParams()
			for _, r := range tc.recs {
				s.checkpoint(label{stamp: r.stamp, layout: layout{partitions, partitions}}, &area{
					id: r.area, state: detectors.NewArea(&params, r.area), partition: home, next: r.next,
				})
			}
			first := true
			s.owner(home, func(ctx context.Context, svc *Service, c *stream.Claim) error {
				if first {
					first = false
					if err := c.Commit(ctx, 100); err != nil {
						return err
					}
					return errOnce
				}
				p, err := svc.restore(ctx, c)
				if err != nil {
					return err
				}
				got := p.areas[a]
				if got.next != tc.next || p.next != tc.from || c.Position() != tc.from || got.saved.dirty != tc.again {
					t.Errorf("area at %d, log from %d (%d), saved again %t; want %d, %d, %t",
						got.next, p.next, c.Position(), got.saved.dirty, tc.next, tc.from, tc.again)
				}
				if p.stamp != tc.stamps {
					t.Errorf("the next owner's stamp is %+v, want %+v", p.stamp, tc.stamps)
				}
				if tc.again {
					// Once it is, a cleaner may keep the last of each.
					if err := p.save(ctx, p.next, len(p.unsaved)); err != nil {
						return err
					}
					var last label
					var next int64
					s.read(ingest.TopicCheckpoints, func(r stream.Record) {
						if string(r.Key) == a {
							c := decodeCheckpoint(&r)
							last, next = c.label, c.next
						}
					})
					if last.stamp != p.stamp || next != tc.next {
						t.Errorf("the last checkpoint is of %+v, at %d", last.stamp, next)
					}
				}
				return nil
			})
		})
	}
}

// In a rolling update a partition is with members of the version before, too,
// whose checkpoints say the generation alone.
func TestCheckpointsOfTheVersionBeforeHaveTheirPlace(t *testing.T) {
	s := newSite(t)
	s.append(silentHomes(1)[:400])
	params := detectors.DefaultParams()
	for _, c := range []struct {
		area       string
		generation int
		next       int64
		now        bool
	}{
		{"tq-0", 0, 50, false}, {"tq-0", 1, 70, true}, {"tq-0", 2, 90, false}, {"tq-0", 0, 60, false},
	} {
		l := label{stamp: at(c.generation, 3)}
		rec, err := l.record(&area{id: c.area, state: detectors.NewArea(&params, c.area), partition: home, next: c.next})
		if err != nil {
			t.Fatal(err)
		}
		if !c.now {
			rec.Headers = []kafka.Header{{Key: generationHeader, Value: fmt.Append(nil, c.generation)}}
		}
		if err := s.producer.Produce(t.Context(), ingest.TopicCheckpoints, []stream.Record{rec}); err != nil {
			t.Fatal(err)
		}
	}
	s.owner(home, func(ctx context.Context, svc *Service, c *stream.Claim) error {
		p, err := svc.restore(ctx, c)
		if err != nil {
			return err
		}
		if a := p.areas["tq-0"]; a.next != 90 || !a.saved.dirty {
			t.Errorf("restored at %d, saved again %t; want 90, true", a.next, a.saved.dirty)
		}
		return nil
	})
}

// What was erased stays so, also where a copy lies in the partition that the
// area had when there were fewer.
func TestAnErasedAreaDoesNotComeBackFromWhereItLay(t *testing.T) {
	s := newSite(t)
	params := detectors.DefaultParams()
	id := "tq-0"
	old := stream.Partition([]byte(id), partitions)
	s.growTopic(ingest.TopicCheckpoints, 2*partitions)
	s.growTopic(ingest.TopicInputs, 2*partitions)
	now := stream.Partition([]byte(id), 2*partitions)
	for ; now == old; now = stream.Partition([]byte(id), 2*partitions) {
		id += "x"
		old = stream.Partition([]byte(id), partitions)
	}
	rec, err := label{stamp: at(0, 1)}.record(&area{id: id, state: detectors.NewArea(&params, id), partition: old, next: 0})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.producer.Append(t.Context(), ingest.TopicCheckpoints, old, []stream.Record{rec}); err != nil {
		t.Fatal(err)
	}
	for _, erased := range []bool{false, true} {
		if erased {
			if err := s.producer.Produce(t.Context(), ingest.TopicCheckpoints, []stream.Record{{Key: []byte(id)}}); err != nil {
				t.Fatal(err)
			}
		}
		s.owner(now, func(ctx context.Context, svc *Service, c *stream.Claim) error {
			p, err := svc.restore(ctx, c)
			if err != nil {
				return err
			}
			if (p.areas[id] == nil) != erased {
				t.Errorf("erased: %t, found: %t", erased, p.areas[id] != nil)
			}
			return nil
		})
	}
}

// A zombie writes while the owner is at work. The owner meets it at its next
// save, or when it looks, and has the last word.
func TestTheOwnerHasTheLastWord(t *testing.T) {
	ids := sameHome(2)
	params := detectors.DefaultParams()
	for _, writes := range []bool{true, false} {
		t.Run(fmt.Sprintf("the owner has something to save: %t", writes), func(t *testing.T) {
			s := newSite(t)
			s.append(silentHomes(1)[:100])
			s.owner(home, func(ctx context.Context, svc *Service, c *stream.Claim) error {
				p, err := readAll(ctx, svc, c)
				if err == nil {
					p.area(ids[1])
					err = p.save(ctx, p.next, len(p.unsaved))
				}
				if err != nil {
					return err
				}
				zombie := area{id: ids[0], state: detectors.NewArea(&params, ids[0]), partition: home, next: 3}
				s.checkpoint(label{stamp: stamp{Generation: -1, Save: 7}}, &zombie)
				if writes {
					p.again(p.areas[ids[1]])
					err = p.save(ctx, p.next, 1)
				} else {
					p.wall = p.wall.Add(svc.opts.CheckpointEvery)
					err = p.save(ctx, p.next, 0)
				}
				if err != nil {
					return err
				}
				if n := len(p.unsaved); n != 1 || p.unsaved[0].id != ids[0] || testutil.ToFloat64(svc.metrics.late) != 1 {
					t.Errorf("%d areas are to be saved again", n)
				}
				if n, ok := p.due(svc.opts.CheckpointEvery); !writes && (n != 1 || !ok) {
					t.Errorf("%d are due", n)
				}
				if err := p.save(ctx, p.next, len(p.unsaved)); err != nil {
					return err
				}
				if len(p.unsaved) != 0 {
					t.Error("its own words make the owner talk for ever")
				}
				// And the zombie, should it look, learns that it is one.
				p.stamp.Generation -= 2
				p.end--
				if err := p.compare(ctx); err == nil || !strings.Contains(err.Error(), "later owner") {
					t.Errorf("the zombie: %v", err)
				}
				return nil
			})
		})
	}
}

// A request whose answer was lost is written twice: nothing follows from it.
func TestOwnCheckpointsTwiceAreNobodyElses(t *testing.T) {
	s := newSite(t)
	s.append(silentHomes(1)[:100])
	s.owner(home, func(ctx context.Context, svc *Service, c *stream.Claim) error {
		p, err := readAll(ctx, svc, c)
		if err == nil {
			err = p.save(ctx, p.next, len(p.unsaved))
		}
		if err != nil {
			return err
		}
		s.repeat(ingest.TopicCheckpoints)
		if err := p.compare(ctx); err != nil {
			return err
		}
		if len(p.unsaved) != 0 || testutil.ToFloat64(svc.metrics.late) != 0 {
			t.Errorf("%d areas are to be saved again", len(p.unsaved))
		}
		return nil
	})
}

// repeat writes once more what a topic holds, as a producer does whose broker's
// answers were lost.
func (s *site) repeat(topic string) {
	s.t.Helper()
	var recs []stream.Record
	s.read(topic, func(r stream.Record) {
		recs = append(recs, stream.Record{Key: slices.Clone(r.Key), Value: slices.Clone(r.Value), Headers: r.Headers})
	})
	if err := s.producer.Produce(s.t.Context(), topic, recs); err != nil {
		s.t.Fatal(err)
	}
}

// observed makes the site's client one that counts, and returns how many
// checkpoints it has read.
func (s *site) observed() func() float64 {
	s.t.Helper()
	reg := prometheus.NewRegistry()
	var err error
	if s.client, err = stream.NewClient(stream.Config{Brokers: s.on.Brokers, Prefix: s.on.Prefix, Registry: reg}); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.client.Close)
	return func() (n float64) {
		families, err := reg.Gather()
		if err != nil {
			s.t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() == "weimang_stream_fetched_records_total" && m.GetLabel()[0].GetValue() == ingest.TopicCheckpoints {
					n += m.GetCounter().GetValue()
				}
			}
		}
		return n
	}
}

// Of a million homes a worker with one of sixteen partitions reads a sixteenth.
// When partitions are added all are read, once.
func TestARestoreReadsItsOwnPartition(t *testing.T) {
	s := newSite(t)
	log := silentHomes(12)
	want := undisturbed(t, log)
	s.work(log[:len(log)/2])

	cut := len(log) / 2
	step := func(what string, least, most float64) {
		t.Helper()
		read := s.observed()
		svc, stop := s.member(nil)
		next := min(cut+len(log)/12, len(log))
		s.append(log[cut:next])
		cut = next
		s.waitCaught(svc)
		stop()
		if n := read(); n < least || n > most {
			t.Errorf("%s: %v checkpoints were read, want %v to %v", what, n, least, most)
		}
	}
	step("12 areas, each once", 12, 12)
	step("each saved twice", 24, 24)
	s.growTopic(ingest.TopicInputs, 2*partitions)
	s.growTopic(ingest.TopicCheckpoints, 2*partitions)
	// Some twice, where the group begins before it knows all partitions.
	step("every member reads everything", 36*2*partitions, 2*36*2*partitions)
	if t.Failed() {
		return
	}
	s.read(ingest.TopicCheckpoints, func(r stream.Record) {
		if c := decodeCheckpoint(&r); c.err != nil {
			t.Error(c.err)
		}
	})
	for cut < len(log) {
		svc, stop := s.member(nil)
		next := min(cut+len(log)/12, len(log))
		s.append(log[cut:next])
		cut = next
		s.waitCaught(svc)
		stop()
	}
	all := 0
	s.read(ingest.TopicCheckpoints, func(stream.Record) { all++ })
	read := s.observed()
	svc, stop := s.member(nil)
	for !svc.Ready() {
		time.Sleep(time.Millisecond)
	}
	stop()
	if n := read(); n > float64(all) {
		t.Errorf("with all areas moved %v checkpoints were read of %d", n, all)
	}
	s.expect(want)
}

// heard keeps what is logged.
type heard struct {
	mu   sync.Mutex
	text strings.Builder
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(b)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// spoil damages the checkpoint of an area of which no other is left, and returns
// it as it was.
func (s *site) spoil(id string, how func(*stream.Record)) (good stream.Record) {
	s.t.Helper()
	s.read(ingest.TopicCheckpoints, func(r stream.Record) {
		if string(r.Key) == id {
			good = stream.Record{Key: []byte(id), Value: slices.Clone(r.Value), Headers: slices.Clone(r.Headers)}
		}
	})
	bad := stream.Record{Key: good.Key, Value: slices.Clone(good.Value), Headers: slices.Clone(good.Headers)}
	how(&bad)
	if err := s.producer.Produce(s.t.Context(), ingest.TopicCheckpoints, []stream.Record{{Key: good.Key}, bad}); err != nil {
		s.t.Fatal(err)
	}
	return good
}

// One area's state cannot be read. The others of its partition go on, it is said
// which and where, nothing of it is lost, and once its state is mended it goes
// on as if nothing had been.
func TestADamagedStateStopsItsAreaAlone(t *testing.T) {
	flip := func(r *stream.Record) { r.Value[len(r.Value)/2] ^= 0x40 }
	for name, how := range map[string]func(*stream.Record){
		"a bit":                flip,
		"cut off":              func(r *stream.Record) { r.Value = r.Value[:len(r.Value)-9] },
		"cut off, unnoticed":   func(r *stream.Record) { r.Value, r.Headers = r.Value[:len(r.Value)-9], nil },
		"nothing but a place":  func(r *stream.Record) { r.Value, r.Headers = r.Value[:2], nil },
		"no place":             func(r *stream.Record) { r.Value = []byte{0x80} },
		"a label that is none": func(r *stream.Record) { r.Headers[0].Value = []byte("{") },
		"the state of another": rename,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			log := silentHomes(9)
			want := undisturbed(t, log)
			cut := len(log) * 31 / 40
			s.work(log[:cut])
			good := s.spoil("tq-0", how)
			// Twice, since a restart must not forget what it waits for.
			for _, to := range []int{cut + (len(log)-cut)/2, len(log)} {
				said := new(heard)
				svc, stop := s.member(func(o *Options) {
					o.Logger = slog.New(slog.NewTextHandler(said, nil))
					o.CheckpointEvery = 50 * time.Millisecond
				})
				s.append(log[cut:to])
				cut = to
				s.waitCaught(svc)
				if n := testutil.ToFloat64(svc.metrics.broken); n != 1 {
					t.Errorf("%v areas are set aside, want 1", n)
				}
				if n := testutil.ToFloat64(svc.metrics.areas); n != 9 {
					t.Errorf("%v areas in the gauge, want 9", n)
				}
				stop()
				for _, word := range []string{"NOT WATCHED", "area=tq-0", "checkpoint_offset="} {
					if strings.Count(said.String(), word) != 1 {
						t.Fatalf("%q is not said once:\n%s", word, said)
					}
				}
				if testutil.ToFloat64(svc.metrics.broken) != 0 {
					t.Error("the gauge does not come back")
				}
			}
			got, _ := s.findings()
			for id, f := range want {
				if _, ok := got[id]; !ok && f.AreaID != "tq-0" {
					t.Errorf("another area's %s is missing", id)
				}
			}
			if len(got) >= len(want) {
				t.Errorf("%d findings of %d: the damage shows nothing", len(got), len(want))
			}

			if err := s.producer.Produce(t.Context(), ingest.TopicCheckpoints, []stream.Record{good}); err != nil {
				t.Fatal(err)
			}
			s.work(nil)
			s.expect(want)
		})
	}
}

// What the operator does when a state cannot be mended: with a tombstone the area
// begins anew, at the first input that it has not taken.
func TestAStateThatIsGivenUpBeginsAnew(t *testing.T) {
	s := newSite(t)
	log := silentHomes(3)
	cut := len(log) / 2
	s.work(log[:cut])
	s.spoil("tq-0", func(r *stream.Record) { r.Value[len(r.Value)/2] ^= 0x40 })
	s.work(log[cut:])
	if err := s.producer.Produce(t.Context(), ingest.TopicCheckpoints, []stream.Record{{Key: []byte("tq-0")}}); err != nil {
		t.Fatal(err)
	}
	svc, stop := s.member(nil)
	s.waitCaught(svc)
	broken, homes := testutil.ToFloat64(svc.metrics.broken), testutil.ToFloat64(svc.metrics.homes)
	stop()
	if broken != 0 || homes != 6 {
		t.Errorf("%v areas are set aside, %v homes watched", broken, homes)
	}
	p := detectors.DefaultParams()
	want := detectors.NewArea(&p, "tq-0")
	for i := range log[cut:] {
		if in := &log[cut+i]; in.AreaID == "tq-0" {
			if err := want.Apply(in, new(detectors.Output)); err != nil {
				t.Fatal(err)
			}
		}
	}
	state, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var got checkpoint
	s.read(ingest.TopicCheckpoints, func(r stream.Record) {
		if string(r.Key) == "tq-0" {
			got = decodeCheckpoint(&r)
		}
	})
	if !bytes.Equal(got.state, state) {
		t.Error("the area did not begin where it was set aside")
	}
}

// A damaged checkpoint behind a good one costs nothing but reading the log again
// from where that stands.
func TestADamagedStateIsMadeAgainWhereAnEarlierOneIsLeft(t *testing.T) {
	s := newSite(t)
	log := silentHomes(9)
	want := undisturbed(t, log)
	for _, n := range []int{len(log) / 2, len(log) / 4} {
		svc, stop := s.member(nil)
		s.append(log[:n])
		log = log[n:]
		s.waitCaught(svc)
		stop()
	}
	var last stream.Record
	s.read(ingest.TopicCheckpoints, func(r stream.Record) {
		if string(r.Key) == "tq-0" {
			last = stream.Record{Key: slices.Clone(r.Key), Value: slices.Clone(r.Value), Headers: slices.Clone(r.Headers)}
		}
	})
	last.Value[len(last.Value)/2] ^= 0x40
	if err := s.producer.Produce(t.Context(), ingest.TopicCheckpoints, []stream.Record{last}); err != nil {
		t.Fatal(err)
	}
	s.work(log)
	s.expect(want)
}

// rename makes a sound state that of an area which it is not.
func rename(r *stream.Record) {
	p := detectors.DefaultParams()
	c := decodeCheckpoint(r)
	rec, err := label{stamp: c.stamp, layout: c.layout}.record(&area{
		id: "tq-0", state: detectors.NewArea(&p, "tq-x"), partition: c.partition, next: c.next,
	})
	if err != nil {
		panic(err)
	}
	r.Value, r.Headers = rec.Value, rec.Headers
}

// States of a later version are no damage: the program is the wrong one, and
// must not watch half of the village.
func TestAnUnknownVersionStopsThePartition(t *testing.T) {
	s := newSite(t)
	s.append(silentHomes(1)[:100])
	s.work(nil)
	s.spoil("tq-0", func(r *stream.Record) {
		c := decodeCheckpoint(r)
		r.Value[len(r.Value)-len(c.state)] = 99
		r.Headers = nil
	})
	said := new(heard)
	svc, stop := s.member(func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(said, nil)) })
	defer stop()
	for begun := time.Now(); !strings.Contains(said.String(), "unknown state version"); time.Sleep(time.Millisecond) {
		if time.Since(begun) > 10*time.Second {
			t.Fatalf("nothing is said:\n%s", said)
		}
	}
	if !strings.Contains(said.String(), "area tq-0") || svc.Ready() {
		t.Errorf("ready: %t; said:\n%s", svc.Ready(), said)
	}
}

// The log has lost what came after the last checkpoint, or begins anew behind
// it. That is said, counted, and no reason to stop.
func TestInputsThatWereDeletedBeforeTheyWereSeenAreMissed(t *testing.T) {
	s := newSite(t)
	params := detectors.DefaultParams()
	ids := sameHome(3)
	for i, id := range ids[1:] {
		s.checkpoint(label{}, &area{id: id, state: detectors.NewArea(&params, id), partition: home, next: int64(30 + 80*i)})
	}
	s.append(silentHomes(1)[:400])
	s.trim(ingest.TopicInputs, home, 100)
	said := new(heard)
	svc, stop := s.member(func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(said, nil)) })
	s.waitCaught(svc)
	stop()
	if n := testutil.ToFloat64(svc.metrics.gaps); n != 1 {
		t.Errorf("%v areas have missed something, want 1", n)
	}
	for _, word := range []string{"deleted before they were seen", ids[1], "offset=30", "log_start=100"} {
		if !strings.Contains(said.String(), word) {
			t.Errorf("%q is not said:\n%s", word, said)
		}
	}
	// What is committed is in the states: a quiet area has missed nothing.
	said = new(heard)
	svc, stop = s.member(func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(said, nil)) })
	s.waitCaught(svc)
	stop()
	if n := testutil.ToFloat64(svc.metrics.gaps); n != 0 {
		t.Errorf("after a commit %v areas have missed something:\n%s", n, said)
	}
}

// trim deletes the records of a partition before an offset, as retention does.
func (s *site) trim(topic string, partition int, before int64) {
	s.t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(s.t.Context(), kafka.TCP(s.on.Brokers...), &deleteRecords{
		Topics: []deleteTopic{{s.on.Prefix + topic, []deletePartition{{int32(partition), before}}}}, TimeoutMS: 5000,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if code := res.(*deletedRecords).Topics[0].Partitions[0].ErrorCode; code != 0 {
		s.t.Fatal(kafka.Error(code))
	}
}

// The request that kafka-go lacks.
type (
	deleteRecords struct {
		Topics    []deleteTopic `kafka:"min=v0,max=v1"`
		TimeoutMS int32         `kafka:"min=v0,max=v1"`
	}
	deleteTopic struct {
		Name       string            `kafka:"min=v0,max=v1"`
		Partitions []deletePartition `kafka:"min=v0,max=v1"`
	}
	deletePartition struct {
		Partition int32 `kafka:"min=v0,max=v1"`
		Offset    int64 `kafka:"min=v0,max=v1"`
	}
	deletedRecords struct {
		ThrottleMS int32          `kafka:"min=v0,max=v1"`
		Topics     []deletedTopic `kafka:"min=v0,max=v1"`
	}
	deletedTopic struct {
		Name       string             `kafka:"min=v0,max=v1"`
		Partitions []deletedPartition `kafka:"min=v0,max=v1"`
	}
	deletedPartition struct {
		Partition    int32 `kafka:"min=v0,max=v1"`
		LowWatermark int64 `kafka:"min=v0,max=v1"`
		ErrorCode    int16 `kafka:"min=v0,max=v1"`
	}
)

func (*deleteRecords) ApiKey() protocol.ApiKey { //nolint:revive // kafka-go's name
	return protocol.DeleteRecords
}

func (*deletedRecords) ApiKey() protocol.ApiKey { //nolint:revive // kafka-go's name
	return protocol.DeleteRecords
}

func init() { protocol.Register(&deleteRecords{}, &deletedRecords{}) }
