package contract

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"weimang/ingest"
)

func (l Limits) readingFromJSON(value []byte) (ingest.Block, *ingest.Rejection) {
	b, array, ok := plainReading(value)
	if !ok {
		var rej *ingest.Rejection
		if b, array, rej = carefulReading(value); rej != nil {
			return b, rej
		}
	}
	place := func(i int) string {
		if !array {
			return fieldOf(&b)
		}
		return indexed(fieldOf(&b), i)
	}
	if rej := l.checkBlock(&b, place); rej != nil {
		return b, rej
	}
	if b.Quality == ingest.Missing {
		allMissing(b.KWh)
	}
	return b, nil
}

// carefulReading reads whatever a sender may write, and names what is wrong
// with it. array tells whether the values came as one.
func carefulReading(value []byte) (b ingest.Block, array bool, _ *ingest.Rejection) {
	f := parseFields(value)
	b = ingest.Block{
		MeterID:  f.text("meter_id"),
		AreaID:   f.text("area_id"),
		Interval: f.interval(),
		Start:    f.time("ts"),
		Quality:  f.quality(),
		Seq:      f.seq(),
		SentAt:   f.time("sent_at").Truncate(time.Millisecond),
	}
	array = f.energy(&b)
	return b, array, f.done()
}

// energy fills in the values and reports whether they came as an array.
// A null counts as absent when the other field has values, since many
// serializers write every field.
func (f *fields) energy(b *ingest.Block) (array bool) {
	if f.rej != nil {
		return false
	}
	kwh, register := f.has("kwh"), f.has("register_kwh")
	_, kwhNull := f.raw["kwh"]
	_, registerNull := f.raw["register_kwh"]
	switch {
	case kwh && register:
		f.reject(ingest.NoEnergy, "kwh", "send either kwh or register_kwh, not both")
		return false
	case !kwh && !register:
		if !kwhNull && !registerNull && b.Quality != ingest.Missing {
			f.reject(ingest.NoEnergy, "kwh", "required: kwh or register_kwh; write null for a missing value")
			return false
		}
		b.KWh, b.Register = []float64{math.NaN()}, registerNull && !kwhNull
		return false
	}
	b.Register = register
	name := fieldOf(b)
	raw := f.raw[name]
	if raw[0] != '[' {
		b.KWh = []float64{f.number(name)}
		return false
	}
	b.KWh, f.rej = parseNumbers(raw, name)
	if f.rej == nil && len(b.KWh) == 0 {
		f.reject(ingest.NoEnergy, name, "the block is empty; send null for each missing value, or nothing at all")
	}
	return true
}

// interval returns interval_s, 0 when it is absent or null.
func (f *fields) interval() time.Duration {
	if f.rej != nil || !f.has("interval_s") {
		return 0
	}
	seconds, rej := parseNumber(f.raw["interval_s"], "interval_s")
	switch {
	case rej != nil && rej.Reason == ingest.NotANumber:
		f.rej = rej
	case rej != nil || seconds != 900 && seconds != 1800 && seconds != 3600:
		f.reject(ingest.BadInterval, "interval_s", "must be 900, 1800 or 3600, a number of seconds without quotes")
	}
	return time.Duration(seconds) * time.Second
}

func (f *fields) quality() ingest.Quality {
	if f.rej != nil || !f.has("quality") {
		return ingest.Valid
	}
	word := f.text("quality")
	q, ok := ingest.ParseQuality(word)
	if !ok || word == "" {
		f.reject(ingest.BadField, "quality", "must be valid, estimated, edited, questionable or missing")
	}
	return q
}

func (f *fields) seq() int64 {
	v := f.number("seq")
	if v != math.Trunc(v) || v < 0 || v > mostSeq {
		f.reject(ingest.BadField, "seq", "must be a whole number from 0 to %d", int64(mostSeq))
		return 0
	}
	return int64(v)
}

// EncodeJSON writes a block as a sender would: a single value as a number, a
// longer block as an array, times in UTC. NaN and infinities become null.
func EncodeJSON(b *ingest.Block) []byte {
	out := make([]byte, 0, 160+8*len(b.KWh))
	out = appendString(append(out, `{"meter_id":`...), b.MeterID)
	if b.AreaID != "" {
		out = appendString(append(out, `,"area_id":`...), b.AreaID)
	}
	out = appendTime(append(out, `,"ts":`...), b.Start)
	out = strconv.AppendInt(append(out, `,"interval_s":`...), int64(b.Interval/time.Second), 10)
	out = appendValues(append(out, `,"`+fieldOf(b)+`":`...), b.KWh)
	if b.Quality != ingest.Valid {
		out = appendString(append(out, `,"quality":`...), b.Quality.String())
	}
	if b.Seq != 0 {
		out = strconv.AppendInt(append(out, `,"seq":`...), b.Seq, 10)
	}
	if !b.SentAt.IsZero() {
		out = appendTime(append(out, `,"sent_at":`...), b.SentAt)
	}
	return append(out, '}')
}

func appendValues(out []byte, values []float64) []byte {
	if len(values) == 1 {
		return appendNumber(out, values[0])
	}
	out = append(out, '[')
	for i, v := range values {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendNumber(out, v)
	}
	return append(out, ']')
}

func appendNumber(out []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(out, "null"...)
	}
	return strconv.AppendFloat(out, v, 'g', -1, 64)
}

func appendTime(out []byte, t time.Time) []byte {
	out = t.UTC().AppendFormat(append(out, '"'), time.RFC3339Nano)
	return append(out, '"')
}

func appendString(out []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // of a string, this cannot fail
	return append(out, quoted...)
}
