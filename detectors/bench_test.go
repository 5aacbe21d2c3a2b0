package detectors

import (
	"fmt"
	"testing"
	"time"

	"weimang/ingest"
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
			for _, in := range v.inputs(0, 8) {
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
