package contract

import (
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"weimang/ingest"
	"weimang/ingest/wirepb"
)

func (l Limits) readingFromProtobuf(value []byte) (ingest.Block, *ingest.Rejection) {
	var m wirepb.Reading
	if err := proto.Unmarshal(value, &m); err != nil {
		return ingest.Block{}, notProtobuf("weimang.v1.Reading")
	}
	b := ingest.Block{
		MeterID:  m.GetMeterId(),
		AreaID:   m.GetAreaId(),
		Interval: time.Duration(m.GetIntervalS()) * time.Second,
		Seq:      m.GetSeq(),
	}
	var rej *ingest.Rejection
	if m.GetTs() != 0 {
		b.Start = time.Unix(m.GetTs(), 0).UTC()
		rej = checkTime("ts", b.Start)
	}
	if m.GetSentAtMs() != 0 && rej == nil {
		b.SentAt = time.UnixMilli(m.GetSentAtMs()).UTC()
		rej = checkTime("sent_at_ms", b.SentAt)
	}
	if rej == nil {
		rej = qualityFromProtobuf(&b, m.GetQuality())
	}
	if rej == nil {
		rej = energyFromProtobuf(&b, &m)
	}
	if rej == nil {
		rej = l.checkBlock(&b, func(i int) string { return indexed(fieldOf(&b), i) })
	}
	if rej == nil && b.Quality == ingest.Missing {
		allMissing(b.KWh)
	}
	return b, rej
}

func notProtobuf(message string) *ingest.Rejection {
	return ingest.Reject(ingest.NotProtobuf, "",
		"not a Protobuf message %s; send one message a record, without a length or schema id in front, or set %s to %s", message, ContentTypeHeader, JSON)
}

func qualityFromProtobuf(b *ingest.Block, q wirepb.Quality) *ingest.Rejection {
	if _, known := wirepb.Quality_name[int32(q)]; !known {
		return ingest.Reject(ingest.BadField, "quality", "must be one of the schema's values, 0 to 4")
	}
	b.Quality = ingest.Quality(q) // numbered alike, see TestQualitiesAreNumberedAlike
	return nil
}

// energyFromProtobuf takes whichever list has values and makes NaN of the
// positions the sender calls missing.
func energyFromProtobuf(b *ingest.Block, m *wirepb.Reading) *ingest.Rejection {
	b.KWh, b.Register = m.GetKwh(), len(m.GetRegisterKwh()) > 0
	switch {
	case len(b.KWh) > 0 && b.Register:
		return ingest.Reject(ingest.NoEnergy, "kwh", "send either kwh or register_kwh, not both")
	case b.Register:
		b.KWh = m.GetRegisterKwh()
	case len(b.KWh) == 0 && b.Quality == ingest.Missing:
		b.KWh = []float64{math.NaN()}
	case len(b.KWh) == 0:
		return ingest.Reject(ingest.NoEnergy, "kwh", "required: kwh or register_kwh, at least one value")
	}
	missing := make(map[uint32]bool, len(m.GetMissing()))
	for i, pos := range m.GetMissing() {
		if int64(pos) >= int64(len(b.KWh)) {
			return ingest.Reject(ingest.BadField, indexed("missing", i),
				"names position %d, but the positions of this block are 0 to %d", pos, len(b.KWh)-1)
		}
		missing[pos] = true
	}
	for i, v := range b.KWh {
		switch {
		case missing[uint32(i)]:
			b.KWh[i] = math.NaN()
		case math.IsNaN(v) || math.IsInf(v, 0):
			return ingest.Reject(ingest.NotANumber, indexed(fieldOf(b), i), "is NaN or Infinity; name the position in missing instead")
		default:
			b.KWh[i] = v + 0 // -0 becomes 0
		}
	}
	return nil
}

// EncodeProtobuf writes a block as message weimang.v1.Reading. NaN and
// infinities become missing values.
func EncodeProtobuf(b *ingest.Block) []byte {
	m := &wirepb.Reading{
		MeterId:   strings.ToValidUTF8(b.MeterID, "\uFFFD"),
		AreaId:    strings.ToValidUTF8(b.AreaID, "\uFFFD"),
		Ts:        b.Start.Unix(),
		IntervalS: uint32(b.Interval / time.Second),
		Quality:   wirepb.Quality(b.Quality),
		Seq:       b.Seq,
	}
	if !b.SentAt.IsZero() {
		m.SentAtMs = b.SentAt.UnixMilli()
	}
	values := make([]float64, len(b.KWh))
	for i, v := range b.KWh {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			m.Missing = append(m.Missing, uint32(i))
			continue
		}
		values[i] = v
	}
	if b.Register {
		m.RegisterKwh = values
	} else {
		m.Kwh = values
	}
	out, _ := deterministic.Marshal(m) // fails only on strings that are not UTF-8
	return out
}

// deterministic writes equal messages as equal bytes.
var deterministic = proto.MarshalOptions{Deterministic: true}
