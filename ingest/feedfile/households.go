package feedfile

import (
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"weimang/ingest"
	"weimang/ingest/contract"
)

// HouseholdRow is one line of a file of households: what the roster knows of
// a meter, and the label by which people know the household (3组12号), which
// must stay out of the stream.
type HouseholdRow struct {
	ingest.Home
	Label string
}

// OpenHouseholds reads a file of households; "-" is standard input.
func OpenHouseholds(path string) ([]HouseholdRow, error) {
	return readFile(path, func(r io.Reader, _ int64) ([]HouseholdRow, error) { return ReadHouseholds(r) })
}

// ReadHouseholds reads CSV, plain or gzip, in the order of the file. Its
// header holds meter_id, household_id, area_id and zone (IANA name); village_id,
// label, from and until are optional, other columns are ignored. Meter and
// household must be given. Without an area the meter is an area of its own,
// without a zone it lives in UTC. From and until are as ingest.RosterTime reads
// them; a meter may stand in several lines whose times do not overlap.
//
// The first bad row ends it with an error that names line, column and remedy.
func ReadHouseholds(r io.Reader) ([]HouseholdRow, error) {
	t, err := openTable(r)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"meter_id", "household_id", "area_id", "zone"} {
		if t.column(name) < 0 {
			return nil, t.lacks(name)
		}
	}
	h := households{table: t, before: make(map[string][]placed), zones: map[string]bool{"": true}}
	var rows []HouseholdRow
	for {
		record, line, err := t.next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		row, bad := h.row(record, line)
		if bad != nil {
			bad.Line = line
			return nil, bad
		}
		rows = append(rows, row)
	}
}

// households reads rows one by one and remembers what must not come twice.
type households struct {
	table  *table
	before map[string][]placed // by meter
	zones  map[string]bool     // known to exist
}

// placed is a row that has been read.
type placed struct {
	home ingest.Home
	line int
}

func (h *households) row(record []string, line int) (HouseholdRow, *BadRow) {
	cell := func(name string) string {
		i := h.table.column(name)
		if i < 0 || i >= len(record) {
			return ""
		}
		return strings.Clone(strings.TrimSpace(record[i])) // the record is one string, and is used again
	}
	row := HouseholdRow{
		Home: ingest.Home{
			MeterID:     cell("meter_id"),
			HouseholdID: cell("household_id"),
			AreaID:      cell("area_id"),
			VillageID:   cell("village_id"),
			Zone:        cell("zone"),
		},
		Label: cell("label"),
	}
	if row.MeterID == "" {
		return row, badRow("meter_id", ingest.Reject(ingest.NoMeter, "", "is empty; every row names its meter"))
	}
	if row.HouseholdID == "" {
		return row, badRow("household_id", ingest.Reject(ingest.BadField, "", "is empty; every meter belongs to a household, repeat the meter id if there is no other"))
	}
	for _, id := range []struct{ column, value string }{
		{"meter_id", row.MeterID}, {"household_id", row.HouseholdID}, {"area_id", row.AreaID}, {"village_id", row.VillageID},
	} {
		if id.value != "" && !contract.ValidID(id.value) {
			return row, badRow(id.column, ingest.Reject(ingest.BadField, "",
				"an id has 1 to 64 characters of A-Z a-z 0-9 . _ : and -; what people call the household goes into label"))
		}
	}
	if err := h.checkZone(row.Zone); err != nil {
		return row, badRow("zone", ingest.Reject(ingest.BadField, "", "%v; use an IANA name such as Asia/Shanghai", err))
	}
	for _, date := range []struct {
		column string
		to     *time.Time
	}{{"from", &row.From}, {"until", &row.Until}} {
		var err error
		if *date.to, err = ingest.RosterTime(cell(date.column), row.Zone); err != nil {
			return row, badRow(date.column, ingest.Reject(ingest.BadField, "", "%v; a date means its first moment in the row's zone", err))
		}
	}
	if !row.Until.IsZero() && !row.Until.After(row.From) {
		return row, badRow("until", ingest.Reject(ingest.BadField, "", "is not at least an hour after from; until is the first moment in which the meter is not there any more"))
	}
	for _, before := range h.before[row.MeterID] {
		if before.home.Overlaps(&row.Home) {
			return row, badRow("meter_id", ingest.Reject(ingest.BadField, "", "the meter stands in line %d already for some of the same time; a meter has one household at a time, remove one of the rows or bound them with from and until", before.line))
		}
	}
	h.before[row.MeterID] = append(h.before[row.MeterID], placed{row.Home, line})
	if !utf8.ValidString(row.Label) {
		return row, badRow("label", ingest.Reject(ingest.BadField, "", "is not UTF-8; save the file as UTF-8 instead of, say, GBK"))
	}
	return row, nil
}

func (h *households) checkZone(name string) error {
	if h.zones[name] {
		return nil
	}
	if name == "Local" { // means another zone on every machine
		return errors.New("no such zone")
	}
	if _, err := time.LoadLocation(name); err != nil {
		return errors.New("no such zone on this machine")
	}
	h.zones[name] = true
	return nil
}
