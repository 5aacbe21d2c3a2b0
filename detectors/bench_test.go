package detectors

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/simulate"
)

// BenchmarkApply is the price of one reading of a half-hourly feed that comes
// in order, one reading an input, with the input used again.
func BenchmarkApply(b *testing.B) {
	for _, homes := range []int{1, 30, 1000} {
		b.Run(fmt.Sprintf("homes=%d", homes), func(b *testing.B) { benchmarkApply(b, homes, 0) })
	}
}

// BenchmarkApplyLate is the same with every tenth reading a day late, which
// makes each time what was decided be decided again.
func BenchmarkApplyLate(b *testing.B) {
	for _, homes := range []int{1, 30, 300} {
		b.Run(fmt.Sprintf("homes=%d", homes), func(b *testing.B) { benchmarkApply(b, homes, 10) })
	}
}

func benchmarkApply(b *testing.B, homes, lateOne int) {
	v := &village{homes: 20, seed: 1}
	const span = 48 * 20
	var wh [20][span]uint32
	for home := range wh {
		for i := range span {
			wh[home][i] = v.wh(home, day0.Add(time.Duration(i)*30*time.Minute))
		}
	}
	ids := make([]string, homes)
	for i := range ids {
		ids[i] = fmt.Sprintf("h%04d", i)
	}
	p := DefaultParams()
	a := NewArea(&p, "tq")
	out := new(Output)
	r := ingest.Readings{Interval: 30 * time.Minute, Wh: make([]uint32, 1)}
	in := ingest.Input{AreaID: "tq", Readings: &r}
	n := 0
	next := func() {
		step, home := n/homes, n%homes
		n++
		in.Clock = day0.Add(time.Duration(step+1) * 30 * time.Minute)
		if lateOne != 0 && n%lateOne == 0 {
			step -= 48
			if step < 0 {
				return
			}
		}
		r.MeterID, r.HouseholdID = ids[home], ids[home]
		r.Start = day0.Add(time.Duration(step) * 30 * time.Minute)
		r.Wh[0] = wh[home%20][step%span]
		if err := a.Apply(&in, out); err != nil {
			b.Fatal(err)
		}
		out.Findings = out.Findings[:0]
	}
	for n < homes*48*10 && lateOne == 0 || n < homes*48*3 {
		next()
	}
	b.ReportAllocs()
	for b.Loop() {
		next()
	}
}

// BenchmarkEncode is the price and the size of a checkpoint, by home.
func BenchmarkEncode(b *testing.B) {
	for _, interval := range []time.Duration{30 * time.Minute, 15 * time.Minute} {
		b.Run(interval.String(), func(b *testing.B) {
			const homes = 30
			v := &village{homes: homes, seed: 1}
			p := DefaultParams()
			a := NewArea(&p, "tq")
			var log []ingest.Input
			for _, in := range v.inputs(0, 14) {
				r := *in.Readings
				r.Interval, r.Wh = interval, nil
				for range 30 * time.Minute / interval {
					r.Wh = append(r.Wh, in.Readings.Wh[0]/uint32(30*time.Minute/interval))
				}
				in.Readings = &r
				log = append(log, in)
			}
			apply(b, a, log)
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				state, err := a.Encode()
				if err != nil {
					b.Fatal(err)
				}
				size = len(state)
			}
			b.ReportMetric(float64(size)/homes, "bytes/home")
		})
	}
}

// BenchmarkMemory is the live heap that a home takes in areas of 25 that send
// quarter-hours in order: the mean of a week and the most of it.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		mean, most := memoryOfAHome(b, 16, 14, 21)
		b.ReportMetric(mean, "B/home")
		b.ReportMetric(most, "max-B/home")
	}
}

// memoryOfAHome is the live heap of areas of 25 homes, by home, between two days
// of a made-up feed: its mean and the most of it, bytes.
func memoryOfAHome(tb testing.TB, areas, from, to int) (mean, most float64) {
	tb.Helper()
	options := simulate.DefaultOptions()
	options.Areas, options.Households, options.Interval = areas, 25*areas, 15*time.Minute
	options.MissingRate, options.LateRate, options.DuplicateRate = 0, 0, 0
	options.End = options.Start.AddDate(0, 0, to)
	feed, err := simulate.New(options)
	if err != nil {
		tb.Fatal(err)
	}
	before, p := liveHeap(), DefaultParams()
	all, out := make(map[string]*Area), new(Output)
	r := ingest.Readings{Interval: options.Interval, Zone: "Asia/Shanghai", Wh: make([]uint32, 1)}
	sum, times, look := 0.0, 0.0, options.Start.AddDate(0, 0, from)
	for block := range feed.Blocks(time.Time{}, time.Time{}) {
		if !block.Start.Before(look) {
			used := float64(liveHeap()-before) / float64(25*areas)
			sum, most, times = sum+used, max(most, used), times+1
			look = look.Add(12 * time.Hour)
		}
		a := all[block.AreaID]
		if a == nil {
			a = NewArea(&p, block.AreaID)
			all[block.AreaID] = a
		}
		r.MeterID, r.HouseholdID, r.Start, r.Wh[0] = block.MeterID, block.MeterID, block.Start, uint32(block.KWh[0]*1000+0.5)
		in := ingest.Input{AreaID: a.id, Clock: block.Start.Add(options.Interval), Readings: &r}
		if err := a.Apply(&in, out); err != nil {
			tb.Fatal(err)
		}
		out.Findings = out.Findings[:0]
	}
	runtime.KeepAlive(all)
	return sum / times, most
}

// liveHeap is what a collection leaves, bytes.
func liveHeap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// BenchmarkDecode is the price of a restore, by home, at a middling moment.
func BenchmarkDecode(b *testing.B) {
	const homes = 30
	v := &village{homes: homes, seed: 1}
	p := DefaultParams()
	var states [][]byte
	a, out := NewArea(&p, "tq"), new(Output)
	for i, in := range v.inputs(0, 20) {
		r := *in.Readings
		r.Interval, r.Wh = 15*time.Minute, []uint32{r.Wh[0] / 2, r.Wh[0] - r.Wh[0]/2}
		in.Readings = &r
		if err := a.Apply(&in, out); err != nil {
			b.Fatal(err)
		}
		if i > 10*48*homes && i%(9*homes) == 0 {
			state, err := a.Encode()
			if err != nil {
				b.Fatal(err)
			}
			states = append(states, state)
		}
	}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeArea(&p, states[n%len(states)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n)/homes, "ns/home")
}
