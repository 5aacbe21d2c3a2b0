package contract

import (
	"fmt"
	"math"
	"strings"
	"time"

	"weimang/ingest"
)

// Decode reads one record of topic weimang.readings under the default limits.
// The error is always an *ingest.Rejection.
func Decode(contentType string, value []byte) (ingest.Block, error) {
	return DefaultLimits().Decode(contentType, value)
}

// Decode reads one record of topic weimang.readings. Whether the block is too
// late or from the future only CheckClock can say. The error is always an
// *ingest.Rejection.
func (l Limits) Decode(contentType string, value []byte) (ingest.Block, error) {
	b, rej := l.decode(contentType, value)
	if rej != nil {
		return ingest.Block{}, rej
	}
	return b, nil
}

func (l Limits) decode(contentType string, value []byte) (ingest.Block, *ingest.Rejection) {
	protobuf, rej := encodingOf(contentType, value)
	switch {
	case rej != nil:
		return ingest.Block{}, rej
	case protobuf:
		return l.readingFromProtobuf(value)
	default:
		return l.readingFromJSON(value)
	}
}

// encodingOf chooses the decoder and refuses what no decoder need look at.
func encodingOf(contentType string, value []byte) (protobuf bool, rej *ingest.Rejection) {
	if len(value) > MaxRecordBytes {
		return false, ingest.Reject(ingest.TooLarge, "",
			"the record has %d bytes, at most %d are taken; send one meter and at most a week a record", len(value), MaxRecordBytes)
	}
	mediaType, _, _ := strings.Cut(contentType, ";")
	switch mediaType = strings.TrimSpace(mediaType); {
	case mediaType == "", strings.EqualFold(mediaType, JSON):
		return false, nil
	case strings.EqualFold(mediaType, Protobuf):
		return true, nil
	default:
		return false, ingest.Reject(ingest.UnknownContent, "",
			"the header %s must be %s or %s, or be left out for JSON", ContentTypeHeader, JSON, Protobuf)
	}
}

// checkBlock judges what JSON and Protobuf have in common. place names the
// i-th value for the error.
func (l Limits) checkBlock(b *ingest.Block, place func(i int) string) *ingest.Rejection {
	if b.MeterID == "" {
		return ingest.Reject(ingest.NoMeter, "meter_id", "say whose readings these are; the id is the utility's meter number, never a name")
	}
	if rej := checkID("meter_id", b.MeterID); rej != nil {
		return rej
	}
	if b.AreaID != "" {
		if rej := checkID("area_id", b.AreaID); rej != nil {
			return rej
		}
	}
	if !ValidInterval(b.Interval) {
		return ingest.Reject(ingest.BadInterval, "interval_s", "required: the length of one interval in seconds, 900, 1800 or 3600")
	}
	if b.Start.IsZero() {
		return ingest.Reject(ingest.BadTime, "ts", "required: the start of the interval with offset, such as 2026-07-12T14:00:00+08:00")
	}
	if !Aligned(b.Start, b.Interval) {
		return ingest.Reject(ingest.BadTime, "ts",
			"%s is not the start of an interval of %s, counted in UTC from the full hour; send the start, not the end or the moment of sending",
			b.Start.Format(time.RFC3339Nano), minutes(b.Interval))
	}
	if b.Seq < 0 || b.Seq > mostSeq {
		return ingest.Reject(ingest.BadField, "seq", "must be a whole number from 0 to %d", int64(mostSeq))
	}
	if most := int(longestBlock / b.Interval); len(b.KWh) > most {
		return tooManyValues(fieldOf(b), most)
	}
	for i, v := range b.KWh {
		if rej := l.checkEnergy("", v, b.Interval, b.Register); rej != nil {
			rej.Field = place(i) // named only now: a good block should cost no strings
			return rej
		}
	}
	return nil
}

func checkID(field, id string) *ingest.Rejection {
	if ValidID(id) {
		return nil
	}
	return ingest.Reject(ingest.BadField, field,
		"an id has 1 to %d characters of A-Z a-z 0-9 . _ : and -; names and addresses have no place here", longestID)
}

func tooManyValues(field string, most int) *ingest.Rejection {
	return ingest.Reject(ingest.TooLarge, field, "a block covers at most a week, here %d values; send a record for each day", most)
}

// checkTime refuses what cannot be the time of anything that happened: 1970
// and earlier is a clock that was never set or a number in the wrong unit.
func checkTime(field string, t time.Time) *ingest.Rejection {
	if t.Unix() <= 0 || t.UTC().Year() > 9999 {
		return ingest.Reject(ingest.BadTime, field, "lies outside the years 1970 to 9999; check the sender's clock and unit")
	}
	return nil
}

func fieldOf(b *ingest.Block) string {
	if b.Register {
		return "register_kwh"
	}
	return "kwh"
}

func indexed(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }

// allMissing makes every value of a block missing: what stands in a record
// whose sender calls it missing is a placeholder.
func allMissing(values []float64) {
	for i := range values {
		values[i] = math.NaN()
	}
}
