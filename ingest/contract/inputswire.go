package contract

import (
	"errors"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"weimang/ingest"
	"weimang/ingest/wirepb"
)

// Readings are nearly all of an area's log, so they are written and read field
// by field here; the generated code takes an object for each part of each
// entry. Bytes and meaning are those of inputs.proto, which a fuzz test holds
// them to.

// entryRoom is what an entry may take, in bytes.
func entryRoom(in *ingest.Input) int {
	switch {
	case in.Readings != nil:
		r := in.Readings
		return 48 + len(r.MeterID) + len(r.HouseholdID) + len(r.Zone) + 3*len(r.Wh)
	case in.Handover != nil:
		return 256 + len(in.Handover.State)
	case in.Residence != nil:
		return 128 + 128*len(in.Residence.Stays)
	default:
		return 256
	}
}

// appendEntry appends an entry as field 2 of Inputs.
func appendEntry(out []byte, areaID string, in *ingest.Input) ([]byte, error) {
	parts := 0
	for _, there := range [...]bool{
		in.Readings != nil, in.Incident != nil, in.Directive != nil, in.Residence != nil, in.Handover != nil,
	} {
		if there {
			parts++
		}
	}
	if parts > 1 {
		return nil, errors.New("must have one of readings, incident, directive, residence and handover")
	}
	if e := rareEntry(areaID, in); e != nil {
		value, err := deterministic.Marshal(e)
		if err != nil {
			return nil, err
		}
		return protowire.AppendBytes(protowire.AppendTag(out, 2, protowire.BytesType), value), nil
	}
	clock := uint64(in.Clock.UnixMilli()) //nolint:gosec // as int64 is written
	size, readings, packed := 0, 0, 0
	if clock != 0 {
		size = 1 + protowire.SizeVarint(clock)
	}
	if r := in.Readings; r != nil {
		if !utf8.ValidString(r.MeterID) || !utf8.ValidString(r.HouseholdID) || !utf8.ValidString(r.Zone) {
			return nil, errors.New("has an id or a zone that is not UTF-8")
		}
		readings, packed = sizeReadings(r)
		size += 1 + protowire.SizeBytes(readings)
	}
	out = protowire.AppendVarint(protowire.AppendTag(out, 2, protowire.BytesType), uint64(size))
	out = appendProtoUint(out, 1, clock)
	if in.Readings != nil {
		out = protowire.AppendVarint(protowire.AppendTag(out, 2, protowire.BytesType), uint64(readings))
		out = appendReadings(out, in.Readings, packed)
	}
	return out, nil
}

// rareEntry is an entry that the generated code writes; nil: of readings, or
// the clock alone.
func rareEntry(areaID string, in *ingest.Input) *wirepb.Input {
	if in.Readings != nil { // as nearly always: it takes nothing
		return nil
	}
	e := &wirepb.Input{ClockMs: in.Clock.UnixMilli()}
	switch {
	case in.Incident != nil:
		e.Entry = &wirepb.Input_Incident{Incident: incidentToLog(areaID, in.Incident)}
	case in.Directive != nil:
		e.Entry = &wirepb.Input_Directive{Directive: directiveToLog(in.Directive)}
	case in.Residence != nil:
		e.Entry = &wirepb.Input_Residence{Residence: residenceToLog(in.Residence)}
	case in.Handover != nil:
		e.Entry = &wirepb.Input_Handover{Handover: handoverToLog(in.Handover)}
	default:
		return nil
	}
	return e
}

// sizeReadings is how many bytes HomeReadings takes, and its values of those.
func sizeReadings(r *ingest.Readings) (size, packed int) {
	for _, text := range [...]string{r.MeterID, r.HouseholdID, r.Zone} {
		if text != "" {
			size += 1 + protowire.SizeBytes(len(text))
		}
	}
	for _, v := range [...]uint64{uint64(r.Start.Unix()), uint64(r.Interval / time.Second), protowire.EncodeBool(r.Register), uint64(r.Quality)} { //nolint:gosec // as int64 is written
		if v != 0 {
			size += 1 + protowire.SizeVarint(v)
		}
	}
	for _, wh := range r.Wh {
		packed += protowire.SizeVarint(uint64(wh + 1))
	}
	if packed > 0 {
		size += 1 + protowire.SizeBytes(packed)
	}
	return size, packed
}

func appendReadings(out []byte, r *ingest.Readings, packed int) []byte {
	out = appendProtoString(out, 1, r.MeterID)
	out = appendProtoString(out, 2, r.HouseholdID)
	out = appendProtoString(out, 3, r.Zone)
	out = appendProtoUint(out, 4, uint64(r.Start.Unix()))         //nolint:gosec // as int64 is written
	out = appendProtoUint(out, 5, uint64(r.Interval/time.Second)) //nolint:gosec // not below zero
	if packed > 0 {
		out = protowire.AppendVarint(protowire.AppendTag(out, 6, protowire.BytesType), uint64(packed))
		for _, wh := range r.Wh {
			out = protowire.AppendVarint(out, uint64(wh+1)) // NoValue wraps to 0, on purpose
		}
	}
	out = appendProtoUint(out, 7, protowire.EncodeBool(r.Register))
	return appendProtoUint(out, 8, uint64(r.Quality))
}

// appendProtoString appends a field, or nothing when it has its default.
func appendProtoString(out []byte, field protowire.Number, text string) []byte {
	if text == "" {
		return out
	}
	return protowire.AppendString(protowire.AppendTag(out, field, protowire.BytesType), text)
}

// appendProtoUint appends a field, or nothing when it has its default.
func appendProtoUint(out []byte, field protowire.Number, v uint64) []byte {
	if v == 0 {
		return out
	}
	return protowire.AppendVarint(protowire.AppendTag(out, field, protowire.VarintType), v)
}

// plainInputs reads a record whose entries are as EncodeInputs writes them.
// What is foreign, broken or to be refused is not ok.
func plainInputs(value []byte) (inputs []ingest.Input, ok bool) {
	area, entries, ok := "", 0, true
	if !eachField(value, func(field protowire.Number, raw []byte, _ uint64) bool {
		switch {
		case field == 1 && raw != nil && utf8.Valid(raw):
			area = string(raw)
		case field == 2 && raw != nil:
			entries++
		default:
			return false
		}
		return true
	}) || area == "" {
		return nil, false
	}
	inputs = make([]ingest.Input, 0, entries)
	readings := make([]ingest.Readings, entries)
	var zone string // almost always one in a record
	eachField(value, func(field protowire.Number, raw []byte, _ uint64) bool {
		if field != 2 {
			return true
		}
		in := ingest.Input{AreaID: area}
		r := &readings[len(inputs)]
		r.Zone = zone
		if ok = plainEntry(raw, &in, r); !ok {
			return false
		}
		if in.Readings != nil {
			zone = r.Zone
		}
		inputs = append(inputs, in)
		return true
	})
	return inputs, ok
}

// plainEntry reads an entry; its readings go into r, whose Zone may hold one
// that is likely.
func plainEntry(raw []byte, in *ingest.Input, r *ingest.Readings) bool {
	in.Clock = time.UnixMilli(0).UTC()
	return eachField(raw, func(field protowire.Number, raw []byte, v uint64) bool {
		switch {
		case field == 1 && raw == nil:
			in.Clock = time.UnixMilli(int64(v)).UTC() //nolint:gosec // as int64 is written
		case raw == nil || field > 6 || *in != (ingest.Input{AreaID: in.AreaID, Clock: in.Clock}):
			return false
		case field == 2:
			in.Readings = r
			return plainReadings(raw, r)
		case field == 3:
			var m wirepb.StreamIncident
			if proto.Unmarshal(raw, &m) != nil {
				return false
			}
			in.Incident = incidentFromLog(&m)
		case field == 4:
			var m wirepb.StreamDirective
			if proto.Unmarshal(raw, &m) != nil {
				return false
			}
			in.Directive = directiveFromLog(&m)
		case field == 5:
			var m wirepb.StreamResidence
			if proto.Unmarshal(raw, &m) != nil {
				return false
			}
			in.Residence = residenceFromLog(&m)
		case field == 6:
			var m wirepb.StreamHandover
			if proto.Unmarshal(raw, &m) != nil {
				return false
			}
			in.Handover = handoverFromLog(&m)
		default:
			return false
		}
		return true
	})
}

func plainReadings(raw []byte, r *ingest.Readings) bool {
	likely := r.Zone
	*r = ingest.Readings{Start: time.Unix(0, 0).UTC(), Wh: []uint32{}}
	return eachField(raw, func(field protowire.Number, raw []byte, v uint64) bool {
		if text := field <= 3 || field == 6; text != (raw != nil) {
			return false
		}
		switch field {
		case 1, 2, 3:
			if !utf8.Valid(raw) {
				return false
			}
		}
		switch field {
		case 1:
			r.MeterID = string(raw)
		case 2:
			r.HouseholdID = string(raw)
		case 3:
			if r.Zone = likely; string(raw) != likely {
				r.Zone = string(raw)
			}
		case 4:
			r.Start = time.Unix(int64(v), 0).UTC() //nolint:gosec // as int64 is written
		case 5:
			if v != 900 && v != 1800 && v != 3600 {
				return false
			}
			r.Interval = time.Duration(v) * time.Second //nolint:gosec // at most an hour
		case 6:
			return len(r.Wh) == 0 && plainValues(raw, r)
		case 7:
			r.Register = v != 0
		case 8:
			if v > uint64(ingest.Missing) {
				return false
			}
			r.Quality = ingest.Quality(v)
		default:
			return false
		}
		return true
	}) && r.Interval != 0
}

// plainValues reads the packed values.
func plainValues(raw []byte, r *ingest.Readings) bool {
	n := 0
	for _, c := range raw {
		if c < 0x80 { // the last byte of a varint
			n++
		}
	}
	r.Wh = make([]uint32, 0, n)
	for len(raw) > 0 {
		v, size := protowire.ConsumeVarint(raw)
		if size < 0 || v > ingest.NoValue {
			return false
		}
		r.Wh = append(r.Wh, uint32(v)-1) // 0 wraps to NoValue, on purpose
		raw = raw[size:]
	}
	return true
}

// eachField calls fn for each field of a message until it returns false: with
// the bytes of a field that has a length, never nil, or the value of a varint.
// It returns whether that was all of the message.
func eachField(message []byte, fn func(field protowire.Number, raw []byte, v uint64) bool) bool {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return false
		}
		message = message[n:]
		var (
			raw []byte
			v   uint64
		)
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			if raw, n = protowire.ConsumeBytes(message); raw == nil {
				raw = message[:0:0]
			}
		default:
			return false
		}
		if n < 0 || !fn(field, raw, v) {
			return false
		}
		message = message[n:]
	}
	return true
}
