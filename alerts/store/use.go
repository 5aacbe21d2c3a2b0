package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"weimang/alerts/history"
	"weimang/detectors"
)

// A packed day is a version byte and points of pointSize bytes in order of
// start, little endian: second of the day (4), interval in seconds (3), flags
// (1), then kWh, low, mid and high in hundredths of a Wh (4 each).
const (
	packVersion = 1
	pointSize   = 24
	flagNoData  = 1
	perKWh      = 100_000
)

func packPoints(points []detectors.UsePoint) []byte {
	out := make([]byte, 1, 1+pointSize*len(points))
	out[0] = packVersion
	for i := range points {
		p := &points[i]
		out = binary.LittleEndian.AppendUint32(out, uint32(p.Start.Unix()%86400))
		head := uint32(p.Interval/time.Second) & 0xffffff
		if p.NoData {
			head |= flagNoData << 24
		}
		out = binary.LittleEndian.AppendUint32(out, head)
		for _, v := range [...]float64{p.KWh, p.Low, p.Mid, p.High} {
			out = binary.LittleEndian.AppendUint32(out, fixed(v))
		}
	}
	return out
}

// fixed is a use in hundredths of a Wh; what is not a number is 0.
func fixed(kWh float64) uint32 {
	v := math.Round(kWh * perKWh)
	if !(v > 0) {
		return 0
	}
	return uint32(min(v, math.MaxUint32))
}

func unpackPoints(b []byte, day int64) ([]detectors.UsePoint, error) {
	if len(b) == 0 || b[0] != packVersion || (len(b)-1)%pointSize != 0 {
		return nil, fmt.Errorf("packed day of %d bytes is not of version %d", len(b), packVersion)
	}
	points := make([]detectors.UsePoint, 0, (len(b)-1)/pointSize)
	for b = b[1:]; len(b) > 0; b = b[pointSize:] {
		head := binary.LittleEndian.Uint32(b[4:])
		value := func(i int) float64 { return float64(binary.LittleEndian.Uint32(b[8+4*i:])) / perKWh }
		points = append(points, detectors.UsePoint{
			Start:    time.Unix(day*86400+int64(binary.LittleEndian.Uint32(b)), 0).UTC(),
			Interval: time.Duration(head&0xffffff) * time.Second,
			NoData:   head>>24&flagNoData != 0,
			KWh:      value(0), Low: value(1), Mid: value(2), High: value(3),
		})
	}
	return points, nil
}

// mergePoints puts newer points into the older ones, both of one day. The
// last point of a start wins; the result is in order of start.
func mergePoints(old, newer []detectors.UsePoint) []detectors.UsePoint {
	all := slices.Concat(old, newer)
	byStart := func(a, b detectors.UsePoint) int { return cmp.Compare(a.Start.Unix(), b.Start.Unix()) }
	slices.SortStableFunc(all, byStart)
	out := all[:0]
	for i := range all {
		if i+1 < len(all) && all[i].Start.Unix() == all[i+1].Start.Unix() {
			continue
		}
		out = append(out, all[i])
	}
	return out
}

// leastDays are merged before others get their turn: each transaction costs a
// write to the disk.
const leastDays = 16

// MergeUse implements history.Store. Much history may come at once, and an
// alert must not wait for the end of it: where another transaction wants its
// turn, what is merged is committed, and the rest comes after it.
func (db *DB) MergeUse(ctx context.Context, days []history.Day) error {
	queue := &db.lanes[useWork].queue
	for len(days) > 0 {
		var merged int
		err := db.updateFor(ctx, useWork, func(t *tx) error {
			for merged = 0; merged < len(days) && (merged < leastDays || queue.Load() == 0); merged++ {
				if err := t.mergeDay(days[merged]); err != nil {
					return fmt.Errorf("merge a day of use: %w", err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		days = days[merged:]
	}
	return nil
}

func (t *tx) mergeDay(d history.Day) error {
	if erased, err := t.erased(d.HouseholdID); err != nil || erased {
		return err
	}
	rows, err := t.query(`SELECT points FROM use_history WHERE household_id = ? AND day = ?`, d.HouseholdID, d.Day)
	packed, err := first(collect(rows, err, scanBytes))
	if err != nil {
		return err
	}
	var old []detectors.UsePoint
	if packed != nil {
		if old, err = unpackPoints(*packed, d.Day); err != nil {
			return err
		}
	}
	_, err = t.exec(`INSERT INTO use_history (household_id, day, points) VALUES (?, ?, ?)
		ON CONFLICT (household_id, day) DO UPDATE SET points = excluded.points`, d.HouseholdID, d.Day, packPoints(mergePoints(old, d.Points)))
	return err
}

func scanBytes(rows *sql.Rows) (b []byte, err error) {
	err = rows.Scan(&b)
	return b, err
}

// PruneUse implements history.Store.
func (db *DB) PruneUse(ctx context.Context, day int64) error {
	return db.updateFor(ctx, useWork, func(t *tx) error {
		_, err := t.exec(`DELETE FROM use_history WHERE day < ?`, day)
		return wrap("forget old use", err)
	})
}

// NewestUse implements history.Store.
func (db *DB) NewestUse(ctx context.Context) (int64, error) {
	n, err := db.count(ctx, `SELECT COALESCE(MAX(day), 0) FROM use_history`)
	return int64(n), wrap("read newest use", err)
}

// Recent are a household's points whose interval starts in [from, to), in order.
func (db *DB) Recent(ctx context.Context, household string, from, to time.Time) ([]detectors.UsePoint, error) {
	type packedDay struct {
		day    int64
		points []byte
	}
	rows, err := db.read.QueryContext(ctx, `SELECT day, points FROM use_history WHERE household_id = ? AND day >= ? AND day <= ? ORDER BY day`,
		household, history.DayOf(from), history.DayOf(to))
	days, err := collect(rows, err, func(rows *sql.Rows) (d packedDay, err error) {
		err = rows.Scan(&d.day, &d.points)
		return d, err
	})
	if err != nil {
		return nil, wrap("read use", err)
	}
	var out []detectors.UsePoint
	for _, d := range days {
		points, err := unpackPoints(d.points, d.day)
		if err != nil {
			return nil, wrap("read use", err)
		}
		for _, p := range points {
			if !p.Start.Before(from) && p.Start.Before(to) {
				out = append(out, p)
			}
		}
	}
	return out, nil
}
