package feedfile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
)

// Options say how to read a file of readings. The zero value finds out what
// it can and refuses what it cannot use.
type Options struct {
	// Interval of all meters. 0 finds each meter's own: the most common step
	// between its stamps.
	Interval time.Duration
	// Zone of stamps without offset; nil takes them as UTC.
	Zone *time.Location
	// Limits of the wire contract; the zero value is contract.DefaultLimits.
	// Only MaxKW is used.
	Limits contract.Limits
	// SkipBad leaves bad rows out (Feed.Rejected) instead of failing.
	SkipBad bool
	// Progress, when set, hears after each read how many bytes of the file
	// (packed, if it is) have been read, and how many it has; 0 is unknown.
	Progress func(read, size int64)
}

// BadRow is a row that cannot be used.
type BadRow struct {
	Line   int
	Column string // "" is the whole row
	Reason ingest.Reason
	Text   string
}

func (b *BadRow) Error() string {
	if b.Column == "" {
		return fmt.Sprintf("line %d: %s: %s", b.Line, b.Reason, b.Text)
	}
	return fmt.Sprintf("line %d, column %s: %s: %s", b.Line, b.Column, b.Reason, b.Text)
}

// mostRejectedKept bounds the memory that a wrong file takes.
const mostRejectedKept = 10_000

// Open reads a file of readings; "-" is standard input. See ReadReadings.
func Open(path string, opt Options) (*Feed, error) {
	return readFile(path, func(r io.Reader, size int64) (*Feed, error) { return readReadings(r, size, opt) })
}

// ReadReadings reads CSV, plain or gzip. Its header holds meter_id, a column
// whose name begins with ts (the first such; start of the interval), and kwh
// or register_kwh or both; quality is optional, other columns are ignored.
// Rows may come in any order. An empty value is a missing one. Values are
// kept in whole Wh.
//
// A bad row is a *BadRow error that names line, column and remedy, unless
// Options.SkipBad collects them.
func ReadReadings(r io.Reader, opt Options) (*Feed, error) { return readReadings(r, 0, opt) }

func readReadings(r io.Reader, size int64, opt Options) (*Feed, error) {
	if opt.Interval != 0 && !contract.ValidInterval(opt.Interval) {
		return nil, fmt.Errorf("an interval of %s is none of 15m, 30m and 1h", opt.Interval)
	}
	if opt.Limits == (contract.Limits{}) {
		opt.Limits = contract.DefaultLimits()
	}
	if opt.Progress != nil {
		r = &progressReader{r: r, size: size, progress: opt.Progress}
	}
	t, err := openTable(r)
	if err != nil {
		return nil, err
	}
	l := &loader{opt: opt, feed: &Feed{index: make(map[string]int)}, stamps: newStampParser(opt.Zone)}
	if l.columns, err = findColumns(t); err != nil {
		return nil, err
	}
	if err := l.readRows(t); err != nil {
		return nil, err
	}
	return l.finish()
}

// columns are the positions of what a row holds, -1 where it is absent.
type columns struct {
	meter, ts, kwh, register, quality int
	tsName                            string
}

func findColumns(t *table) (columns, error) {
	c := columns{
		meter: t.column("meter_id"), kwh: t.column("kwh"), register: t.column("register_kwh"), quality: t.column("quality"), ts: -1,
	}
	for i, name := range t.header {
		if strings.HasPrefix(name, "ts") {
			c.ts, c.tsName = i, name
			break
		}
	}
	switch {
	case c.meter < 0:
		return c, t.lacks("meter_id")
	case c.ts < 0:
		return c, t.lacks("whose name begins with ts, the start of the interval,")
	case c.kwh < 0 && c.register < 0:
		return c, t.lacks("kwh")
	}
	return c, nil
}

// loader fills a feed row by row.
type loader struct {
	opt     Options
	columns columns
	stamps  *stampParser
	feed    *Feed
	last    int // meter of the row before: most files have them together
}

func (l *loader) readRows(t *table) error {
	for {
		record, line, err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			bad := l.add(record, line)
			if bad == nil {
				continue
			}
			bad.Line = line
			err = bad
		}
		var bad *BadRow
		if !l.opt.SkipBad || !errors.As(err, &bad) {
			return err
		}
		l.reject(bad)
	}
}

func (l *loader) reject(bad *BadRow) {
	l.feed.RejectedTotal++
	if len(l.feed.Rejected) < mostRejectedKept {
		l.feed.Rejected = append(l.feed.Rejected, *bad)
	}
}

// add judges all of a row that can be judged without the meter's interval.
func (l *loader) add(record []string, line int) *BadRow {
	c := &l.columns
	if most := max(c.meter, c.ts, c.kwh, c.register, c.quality); len(record) <= most {
		return badRow("", ingest.Reject(ingest.BadField, "", "the row has %d fields, its columns stand in up to %d; is it cut off?", len(record), most+1))
	}
	m, rej := l.meter(record[c.meter])
	if rej != nil {
		return badRow("meter_id", rej)
	}
	start, rej := l.stamps.parse(strings.TrimSpace(record[c.ts]), m)
	if rej == nil && (start <= 0 || start > math.MaxUint32) {
		rej = ingest.Reject(ingest.BadTime, "", "lies outside the years 1970 to 2105")
	}
	if rej != nil {
		return badRow(c.tsName, rej)
	}
	r := row{start: uint32(start), line: uint32(line)}
	if column, rej := l.energy(&r, record); rej != nil {
		return badRow(column, rej)
	}
	if c.quality >= 0 {
		q, ok := ingest.ParseQuality(strings.TrimSpace(record[c.quality]))
		if !ok {
			return badRow("quality", ingest.Reject(ingest.BadField, "", "must be valid, estimated, edited, questionable, missing or empty"))
		}
		if r.quality = q; q == ingest.Missing {
			r.wh = ingest.NoValue
		}
	}
	l.feed.meters[m].rows = append(l.feed.meters[m].rows, r)
	return nil
}

func badRow(column string, rej *ingest.Rejection) *BadRow {
	return &BadRow{Column: column, Reason: rej.Reason, Text: rej.Text}
}

// meter returns the position of a meter, new or known.
func (l *loader) meter(id string) (int, *ingest.Rejection) {
	id = strings.TrimSpace(id)
	f := l.feed
	if l.last < len(f.meters) && f.meters[l.last].id == id {
		return l.last, nil
	}
	m, known := f.index[id]
	switch {
	case known:
	case id == "":
		return 0, ingest.Reject(ingest.NoMeter, "", "is empty; every row names its meter")
	case !contract.ValidID(id):
		return 0, ingest.Reject(ingest.BadField, "", "an id has 1 to 64 characters of A-Z a-z 0-9 . _ : and -")
	default:
		m = len(f.meters)
		id = strings.Clone(id) // not the whole row
		f.meters = append(f.meters, meter{id: id})
		f.index[id] = m
	}
	l.last = m
	return m, nil
}

// energy reads the value of a row from whichever column has one.
func (l *loader) energy(r *row, record []string) (column string, rej *ingest.Rejection) {
	var kwh, register string
	if l.columns.kwh >= 0 {
		kwh = strings.TrimSpace(record[l.columns.kwh])
	}
	if l.columns.register >= 0 {
		register = strings.TrimSpace(record[l.columns.register])
	}
	column, value := "kwh", kwh
	if kwh == "" && (register != "" || l.columns.kwh < 0) {
		column, value, r.register = "register_kwh", register, true
	}
	switch {
	case kwh != "" && register != "":
		return column, ingest.Reject(ingest.NoEnergy, "", "the row has both kwh and register_kwh; leave one of them empty")
	case value == "":
		r.wh = ingest.NoValue
		return column, nil
	}
	v, err := strconv.ParseFloat(value, 64)
	switch {
	case errors.Is(err, strconv.ErrRange): // v is infinite, which the limits refuse
	case err != nil:
		return column, ingest.Reject(ingest.BadField, "", "must be a number with a decimal point, or empty when missing")
	case math.IsNaN(v) || math.IsInf(v, 0):
		return column, ingest.Reject(ingest.NotANumber, "", "is NaN or infinite; leave it empty when missing")
	}
	r.wh = contract.WattHours(v)
	if r.register || v < 0 || r.wh == ingest.NoValue {
		// Wrong whatever the interval, which is known only when all is read;
		// judge then looks at the rest.
		return column, asRejection(l.opt.Limits.CheckEnergy("", v, time.Hour, r.register))
	}
	return column, nil
}

func asRejection(err error) *ingest.Rejection {
	if err == nil {
		return nil
	}
	var rej *ingest.Rejection
	errors.As(err, &rej)
	return rej
}

// finish orders the readings, finds the intervals and judges what depends on
// them.
func (l *loader) finish() (*Feed, error) {
	f := l.feed
	for i := range f.meters {
		byStart := func(a, b row) int { return cmp.Compare(a.start, b.start) }
		if !slices.IsSortedFunc(f.meters[i].rows, byStart) {
			slices.SortStableFunc(f.meters[i].rows, byStart)
		}
	}
	if err := setIntervals(f.meters, l.opt.Interval); err != nil {
		return nil, err
	}
	first := l.dropBad()
	if first != nil && !l.opt.SkipBad {
		return nil, first
	}
	slices.SortStableFunc(f.Rejected, func(a, b BadRow) int { return cmp.Compare(a.Line, b.Line) })

	f.meters = slices.DeleteFunc(f.meters, func(m meter) bool { return len(m.rows) == 0 })
	slices.SortFunc(f.meters, func(a, b meter) int { return cmp.Compare(a.id, b.id) })
	clear(f.index)
	for i := range f.meters {
		f.index[f.meters[i].id] = i
		f.rows += len(f.meters[i].rows)
	}
	return f, nil
}

// dropBad takes out the rows that their meter's interval refuses and returns
// the first of them by line.
func (l *loader) dropBad() (first *BadRow) {
	for i := range l.feed.meters {
		m := &l.feed.meters[i]
		m.rows = slices.DeleteFunc(m.rows, func(r row) bool {
			bad := l.judge(m, r)
			if bad == nil {
				return false
			}
			l.reject(bad)
			if first == nil || bad.Line < first.Line {
				first = bad
			}
			return true
		})
	}
	return first
}

func (l *loader) judge(m *meter, r row) *BadRow {
	column, rej := l.columns.tsName, (*ingest.Rejection)(nil)
	if start := time.Unix(int64(r.start), 0); !contract.Aligned(start, m.interval) {
		rej = ingest.Reject(ingest.BadTime, "", "%s is not the start of an interval of %g min, counted in UTC from the full hour; is it the end, or another zone?",
			start.UTC().Format(time.RFC3339), m.interval.Minutes())
	} else if !r.register {
		column, rej = "kwh", asRejection(l.opt.Limits.CheckEnergy("", contract.KWh(r.wh), m.interval, false))
	}
	if rej == nil {
		return nil
	}
	bad := badRow(column, rej)
	bad.Line = int(r.line)
	return bad
}
