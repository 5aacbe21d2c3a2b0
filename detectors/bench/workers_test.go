package bench

import (
	"strings"
	"testing"
	"time"

	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

func fewWorkers() WorkersOptions {
	return WorkersOptions{
		Options: Options{Brokers: []string{"none:1"}, Prefix: "x.", Format: JSON, Households: 10, Readings: 100, Partitions: 4},
		Workers: []int{1, 3}, Events: []Event{Add, Stop, Kill},
	}
}

func TestWorkersThatCannotBeAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*WorkersOptions)
		says   string
	}{
		"none":                       {func(o *WorkersOptions) { o.Workers = nil }, "at least one number"},
		"more than partitions":       {func(o *WorkersOptions) { o.Workers = []int{5} }, "5 must be 1 to 4"},
		"an event of no kind":        {func(o *WorkersOptions) { o.Events = []Event{"crash"} }, `"crash" must be`},
		"nobody left":                {func(o *WorkersOptions) { o.Workers, o.Events = []int{1}, []Event{Kill} }, "after kill no worker is left"},
		"what bench refuses as well": {func(o *WorkersOptions) { o.Households = 0 }, "0 households"},
	} {
		t.Run(name, func(t *testing.T) {
			o := fewWorkers()
			c.change(&o)
			if err := o.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	o := fewWorkers()
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
	if n := o.workersAtFirst(); n != 2 {
		t.Errorf("%d workers before one is added, want 2", n)
	}
}

// A pause is the time between two beats that are new: one seen before is work
// done twice, by whoever took over.
func TestAPauseEndsWithABeatThatIsNew(t *testing.T) {
	begun := time.Unix(1000, 0)
	p := &pulse{seen: []int{7}, at: []time.Time{begun}, pause: make([]time.Duration, 1)}
	p.note(0, 8, begun.Add(50*time.Millisecond))
	p.note(0, 3, begun.Add(2*time.Second))
	p.note(0, 8, begun.Add(2*time.Second))
	p.note(0, 9, begun.Add(3*time.Second))
	p.note(0, 12, begun.Add(3*time.Second))
	if got, want := p.pauses()[0], 2950*time.Millisecond; got != want {
		t.Errorf("a pause of %v, want %v", got, want)
	}
	p.reset()
	p.note(0, 13, begun.Add(3100*time.Millisecond))
	if got, want := p.pauses()[0], 100*time.Millisecond; got != want {
		t.Errorf("after a reset %v, want %v", got, want)
	}
}

func TestABeatLiesInItsPartitionAndMovesNoClock(t *testing.T) {
	const partitions = 5
	p := &pulse{areas: areasOf(partitions), from: time.Unix(2_000_000_000, 0).UTC(), sent: make([]int, partitions)}
	for i := range partitions {
		for n := 1; n <= 2; n++ {
			rec, err := p.beat(i)
			if err != nil {
				t.Fatal(err)
			}
			if at := stream.Partition(rec.Key, partitions); at != i {
				t.Errorf("beat of partition %d lies in %d", i, at)
			}
			inputs, err := contract.DecodeInputs(rec.Value)
			if err != nil || len(inputs) != 1 || inputs[0].Incident == nil {
				t.Fatalf("%+v, %v", inputs, err)
			}
			if got := inputs[0].Incident.Until.Sub(p.from); got != time.Duration(n)*time.Second {
				t.Errorf("beat %d says %v", n, got)
			}
			if c := inputs[0].Clock; c.After(time.Unix(0, 0)) {
				t.Errorf("a clock of %v", c)
			}
		}
	}
}

func TestPausesOfPartitions(t *testing.T) {
	if got := pausesOf([]time.Duration{30e6, 10e6, 20e6, 70e6}); got != (Pauses{P50: 20, Max: 70}) {
		t.Errorf("got %+v", got)
	}
	if got := pausesOf(nil); got != (Pauses{}) {
		t.Errorf("of none: %+v", got)
	}
}
