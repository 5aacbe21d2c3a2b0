package contract

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"weimang/ingest"
	"weimang/ingest/wirepb"
)

// WattHours turns kWh into whole Wh, half a Wh away from zero; NaN and what
// does not fit is ingest.NoValue. Everything that enters the log goes through
// here, so a file and a broker lead to the same numbers.
func WattHours(kwh float64) uint32 {
	wh := math.Round(kwh * 1000)
	if !(wh >= 0 && wh < ingest.NoValue) { // NaN is neither
		return ingest.NoValue
	}
	return uint32(wh)
}

// KWh is the value that WattHours turns back into wh; NaN for ingest.NoValue.
func KWh(wh uint32) float64 {
	if wh == ingest.NoValue {
		return math.NaN()
	}
	return float64(wh) / 1000
}

// ToReadings turns a block that Decode has accepted into the log's readings
// of the home that the roster names for its meter.
func ToReadings(b *ingest.Block, h ingest.Home) *ingest.Readings {
	r := &ingest.Readings{
		MeterID:     b.MeterID,
		HouseholdID: h.HouseholdID,
		Zone:        h.Zone,
		Start:       b.Start,
		Interval:    b.Interval,
		Wh:          make([]uint32, len(b.KWh)),
		Register:    b.Register,
		Quality:     b.Quality,
	}
	for i, v := range b.KWh {
		r.Wh[i] = WattHours(v)
	}
	return r
}

// EncodeInputs writes consecutive entries of one area's log as one record of
// topic weimang.inputs. Clocks are cut to milliseconds. Of an incident's
// scope only the households remain, none if the scope names the whole area:
// the caller has looked up which of its own they are.
func EncodeInputs(areaID string, entries []ingest.Input) ([]byte, error) {
	if areaID == "" {
		return nil, errors.New("encode inputs: no area")
	}
	if !utf8.ValidString(areaID) {
		return nil, errors.New("encode inputs: the area is not UTF-8")
	}
	size := 8 + len(areaID)
	for i := range entries {
		size += entryRoom(&entries[i])
	}
	out := appendProtoString(make([]byte, 0, size), 1, areaID)
	for i := range entries {
		in := &entries[i]
		if in.AreaID != "" && in.AreaID != areaID {
			return nil, fmt.Errorf("encode inputs: entry %d belongs to another area", i)
		}
		var err error
		if out, err = appendEntry(out, areaID, in); err != nil {
			return nil, fmt.Errorf("encode inputs: entry %d %w", i, err)
		}
	}
	return out, nil
}

func incidentToLog(areaID string, in *ingest.Incident) *wirepb.StreamIncident {
	out := &wirepb.StreamIncident{
		IncidentId: in.ID,
		Source:     string(in.Source),
		Class:      in.Class,
		State:      string(in.State),
		Level:      in.Level,
		From:       in.From.Unix(),
		Partition:  uint32(in.Place.Partition),
		NextOffset: in.Place.Next,
	}
	if !slices.Contains(in.Scope.Areas, areaID) {
		out.Households = in.Scope.Households
	}
	if !in.Until.IsZero() {
		out.Until = in.Until.Unix()
	}
	return out
}

// DecodeInputs reads a record of topic weimang.inputs. An incident's scope
// names the households of this area it concerns; an empty scope is the whole
// area. The record is our own, so an error means a foreign or broken one.
func DecodeInputs(value []byte) ([]ingest.Input, error) {
	if inputs, ok := plainInputs(value); ok {
		return inputs, nil
	}
	return carefulInputs(value)
}

// carefulInputs reads whatever an entry may be, and names what is wrong.
func carefulInputs(value []byte) ([]ingest.Input, error) {
	var m wirepb.Inputs
	if err := proto.Unmarshal(value, &m); err != nil {
		return nil, fmt.Errorf("decode inputs: %w", err)
	}
	if m.GetAreaId() == "" {
		return nil, errors.New("decode inputs: no area")
	}
	inputs := make([]ingest.Input, len(m.GetEntries()))
	for i, e := range m.GetEntries() {
		in := ingest.Input{AreaID: m.GetAreaId(), Clock: time.UnixMilli(e.GetClockMs()).UTC()}
		var err error
		switch {
		case e.GetReadings() != nil:
			in.Readings, err = readingsFromLog(e.GetReadings())
		case e.GetIncident() != nil:
			in.Incident = incidentFromLog(e.GetIncident())
		case e.GetDirective() != nil:
			in.Directive = directiveFromLog(e.GetDirective())
		case e.GetResidence() != nil:
			in.Residence = residenceFromLog(e.GetResidence())
		case e.GetHandover() != nil:
			in.Handover = handoverFromLog(e.GetHandover())
		case len(e.ProtoReflect().GetUnknown()) > 0:
			err = errors.New("none of the kinds of entry that this version knows")
		}
		if err != nil {
			return nil, fmt.Errorf("decode inputs: entry %d: %w", i, err)
		}
		inputs[i] = in
	}
	return inputs, nil
}

func readingsFromLog(m *wirepb.HomeReadings) (*ingest.Readings, error) {
	r := &ingest.Readings{
		MeterID:     m.GetMeterId(),
		HouseholdID: m.GetHouseholdId(),
		Zone:        m.GetZone(),
		Start:       time.Unix(m.GetStart(), 0).UTC(),
		Interval:    time.Duration(m.GetIntervalS()) * time.Second,
		Wh:          make([]uint32, len(m.GetWhPlus_1())),
		Register:    m.GetRegister(),
		Quality:     ingest.Quality(m.GetQuality()),
	}
	if !ValidInterval(r.Interval) {
		return nil, fmt.Errorf("interval of %d s", m.GetIntervalS())
	}
	if m.GetQuality() > uint32(ingest.Missing) {
		return nil, fmt.Errorf("quality %d", m.GetQuality())
	}
	for i, v := range m.GetWhPlus_1() {
		if v > ingest.NoValue {
			return nil, fmt.Errorf("value %d has %d Wh", i, v-1)
		}
		r.Wh[i] = uint32(v) - 1 // 0 wraps to NoValue, on purpose
	}
	return r, nil
}

func incidentFromLog(m *wirepb.StreamIncident) *ingest.Incident {
	in := &ingest.Incident{
		ID:     m.GetIncidentId(),
		Source: ingest.Source(m.GetSource()),
		Class:  m.GetClass(),
		State:  ingest.IncidentState(m.GetState()),
		Level:  m.GetLevel(),
		Scope:  ingest.Scope{Households: m.GetHouseholds()},
		From:   time.Unix(m.GetFrom(), 0).UTC(),
		Place:  ingest.Place{Partition: int(m.GetPartition()), Next: m.GetNextOffset()},
	}
	if m.GetUntil() != 0 {
		in.Until = time.Unix(m.GetUntil(), 0).UTC()
	}
	return in
}
