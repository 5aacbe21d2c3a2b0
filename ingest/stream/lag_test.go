package stream

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestLagIsWhatIsNotHandledAndHowOldThatIs(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	reg := prometheus.NewRegistry()
	all := newLags(reg)
	all.now = func() time.Time { return noon }
	expect := func(when, records, seconds string) {
		t.Helper()
		err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP weimang_stream_lag_records Records not handled yet, of the partitions this member has, as of the last fetch
# TYPE weimang_stream_lag_records gauge
weimang_stream_lag_records{group="g",topic="t"} `+records+`
# HELP weimang_stream_lag_seconds How long ago the oldest record that is not handled yet was written, of the partitions this member has
# TYPE weimang_stream_lag_seconds gauge
weimang_stream_lag_seconds{group="g",topic="t"} `+seconds+"\n"))
		if err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	var one, two lag
	forget := all.add(readerOf{"g", "t"}, &one)
	all.add(readerOf{"g", "t"}, &two)
	expect("nothing is known", "0", "0")
	two.fetched(&Batch{Next: 5, HighWatermark: 5})
	one.fetched(&Batch{
		Records: []Record{{Offset: 10, Time: noon.Add(-time.Minute)}, {Offset: 14, Time: noon.Add(-30 * time.Second)}},
		Next:    15, HighWatermark: 40,
	})
	expect("a batch is being handled", "30", "60")
	one.handled(15)
	expect("it is handled, and there is more", "25", "30")
	two.fetched(&Batch{Records: []Record{{Offset: 5, Time: noon.Add(-time.Hour)}}, Next: 6, HighWatermark: 6})
	expect("another partition is further behind", "26", "3600")
	two.handled(6)
	one.fetched(&Batch{Records: []Record{{Offset: 39, Time: noon.Add(time.Second)}}, Next: 40, HighWatermark: 40})
	expect("a clock ahead of ours", "1", "0")
	one.handled(40)
	expect("all is handled", "0", "0")
	one.fetched(&Batch{Records: []Record{{Offset: 40, Time: noon}}, Next: 41, HighWatermark: 41})
	forget()
	expect("the partition is gone, and with it what it was behind", "0", "0")
}

// A handler that cannot go on shows, also while it does not fetch.
func TestABlockedHandlerIsSeenFromOutside(t *testing.T) {
	on := cluster(t)
	reg := prometheus.NewRegistry()
	c := configured(t, Config{Brokers: on.cfg.Brokers, Prefix: on.cfg.Prefix, Registry: reg})
	makeTopic(t, c, Topic{Name: "t", Partitions: 1})
	produce(t, c, "t", numbered(0, 10))
	fetched := make(chan struct{})
	join(t, quick(c, "t"), func(ctx context.Context, claim *Claim) error {
		if _, err := claim.Fetch(ctx); err != nil {
			return err
		}
		close(fetched)
		<-ctx.Done()
		return nil
	})
	<-fetched
	time.Sleep(20 * time.Millisecond)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		switch v := f.GetMetric()[0].GetGauge().GetValue(); {
		case f.GetName() == "weimang_stream_lag_records" && v != 10:
			t.Errorf("behind by %v records", v)
		case f.GetName() == "weimang_stream_lag_seconds" && (v < 0.02 || v > within.Seconds()):
			t.Errorf("behind by %v s", v)
		}
	}
}
