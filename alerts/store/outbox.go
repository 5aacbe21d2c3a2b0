package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

// unblocked: no earlier message of the same alert to the same person waits.
const unblocked = `NOT EXISTS (SELECT 1 FROM outbox e WHERE e.alert_id = o.alert_id AND e.person_id = o.person_id
	AND e.channel = o.channel AND e.lane = 'message' AND e.status = 'waiting' AND e.n < o.n)`

// Due implements deliver.Outbox. A message waits while an earlier one of the
// same alert to the same person does: nobody hears the all-clear first.
func (db *DB) Due(ctx context.Context, channel string, now time.Time, limit int) ([]deliver.Item, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT o.n, o.payload, o.created_at, o.deadline_at, o.attempts, COALESCE((SELECT c.address FROM contacts c
			WHERE c.person_id = o.person_id AND c.channel = o.channel AND c.state <> 'wrong' ORDER BY c.n LIMIT 1), '')
		FROM outbox o
		WHERE o.status = 'waiting' AND o.lane = 'message' AND o.channel = ? AND o.due_at <= ?
			AND `+unblocked+`
		ORDER BY o.rank, o.severity DESC, o.n LIMIT ?`, channel, millis(now), limit)
	items, err := collect(rows, err, func(rows *sql.Rows) (it deliver.Item, err error) {
		var payload, address string
		var created, deadline int64
		if err := rows.Scan(&it.N, &payload, &created, &deadline, &it.Attempts, &address); err != nil {
			return it, err
		}
		it.Message, err = decodeMessage(payload, created, deadline)
		if err == nil {
			it.Message.Address, err = db.unseal("contacts.address", contactRow(it.Message.To.PersonID, channel), address)
		}
		return it, err
	})
	return items, wrap("read due messages", err)
}

// NextDue implements deliver.Outbox.
func (db *DB) NextDue(ctx context.Context, channel string) (time.Time, error) {
	var due sql.NullInt64
	err := db.read.QueryRowContext(ctx, `SELECT MIN(o.due_at) FROM outbox o WHERE o.status = 'waiting' AND o.lane = 'message' AND o.channel = ?
		AND `+unblocked, channel).Scan(&due)
	return fromOptMillis(due), wrap("read next due message", err)
}

// Begin implements deliver.Outbox.
func (db *DB) Begin(ctx context.Context, it deliver.Item, at, lease time.Time, limits []deliver.Limit) (turn deliver.Turn, err error) {
	err = db.update(ctx, func(t *tx) error {
		turn = deliver.Turn{} // of this try of the transaction
		a := attempt{message: it.N, channel: it.Message.Channel, person: it.Message.To.PersonID, at: at}
		var err error
		if a.target, err = t.target(a.channel, it.Message.Address); err != nil {
			return err
		}
		full, err := t.full(a, limits)
		if err != nil {
			return err
		}
		if full.of != "" {
			ours, err := t.putOff(a, full)
			if ours {
				turn.Wait = full.until
			}
			return err
		}
		rows, err := t.exec(`UPDATE outbox SET attempts = attempts + 1, attempted_at = COALESCE(attempted_at, ?), due_at = ?
			WHERE n = ? AND status = 'waiting' AND due_at <= ?`, millis(at), millis(lease), it.N, millis(at))
		if err != nil || rows == 0 {
			return wrap("record attempt", err)
		}
		turn.Ours = true
		if err := t.noteDelivery(it.N); err != nil {
			return err
		}
		if len(limits) == 0 {
			return nil // nothing will count it
		}
		return t.noteAttempt(a)
	})
	if err != nil {
		return deliver.Turn{}, err
	}
	return turn, nil
}

// Finish implements deliver.Outbox.
func (db *DB) Finish(ctx context.Context, it deliver.Item, out deliver.Outcome) error {
	return db.update(ctx, func(t *tx) error {
		if err := t.endAttempt(it, out); err != nil {
			return err
		}
		if out.Status == deliver.Waiting {
			_, err := t.exec(`UPDATE outbox SET due_at = ?, reason = ?, last_error = ? WHERE n = ?`, millis(out.RetryAt), string(out.Reason), out.Error, it.N)
			return wrap("put message off", err)
		}
		_, err := t.exec(`UPDATE outbox SET status = ?, done_at = ?, reason = ?, last_error = ?, vendor_id = ? WHERE n = ?`,
			string(out.Status), millis(out.At), string(out.Reason), out.Error, out.VendorID, it.N)
		if err != nil {
			return wrap("finish message", err)
		}
		return t.tellOutcome(it.Message, out.Status, out.At)
	})
}

// tellOutcome writes into the history of what a message tells that it is out or
// has come to a dead end, and in the second case has the engine look at it.
func (t *tx) tellOutcome(m alerts.Message, status deliver.Status, at time.Time) error {
	event := alerts.EventTold
	if status == deliver.Dead {
		event = alerts.EventUndelivered
	}
	about := m.Alerts
	if len(about) == 0 {
		about = []string{m.AlertID}
	}
	for _, id := range about {
		if err := t.AppendEvent(alerts.Event{
			AlertID: id, Seq: m.Seq, Kind: event, At: at, Detail: string(m.To.Role) + "/" + m.Channel, PersonID: m.To.PersonID, RecordedAt: at,
		}); err != nil {
			return err
		}
		if status != deliver.Dead {
			continue
		}
		if err := t.nudge(id, at); err != nil {
			return err
		}
	}
	return nil
}

// Stranded implements deliver.Outbox.
func (db *DB) Stranded(ctx context.Context, known []string, now time.Time) ([]deliver.Item, error) {
	args := []any{millis(now), millis(now), ""} // no channel is called "", and IN () is not for every database
	for _, c := range known {
		args = append(args, c)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT n, payload, created_at, deadline_at, attempts FROM outbox
		WHERE status = 'waiting' AND lane = 'message' AND ((deadline_at < ? AND due_at <= ?) OR channel NOT IN (?`+strings.Repeat(", ?", len(known))+`))
		ORDER BY n LIMIT 1000`, args...)
	items, err := collect(rows, err, func(rows *sql.Rows) (it deliver.Item, err error) {
		var payload string
		var created, deadline int64
		if err := rows.Scan(&it.N, &payload, &created, &deadline, &it.Attempts); err != nil {
			return it, err
		}
		it.Message, err = decodeMessage(payload, created, deadline)
		return it, err
	})
	return items, wrap("read stranded messages", err)
}

// Records implements deliver.Outbox.
func (db *DB) Records(ctx context.Context, limit int) ([]deliver.TopicItem, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT n, id, person_id, alert_id, topic, payload FROM outbox WHERE status = 'waiting' AND lane = 'topic' ORDER BY n LIMIT ?`, limit)
	items, err := collect(rows, err, func(rows *sql.Rows) (it deliver.TopicItem, err error) {
		err = rows.Scan(&it.N, &it.Record.ID, &it.Record.Key, &it.Record.AlertID, &it.Record.Topic, &it.Record.Value)
		it.Record.ID = strings.TrimPrefix(it.Record.ID, laneTopic+":")
		return it, err
	})
	return items, wrap("read records for the topic", err)
}

// Published implements deliver.Outbox.
func (db *DB) Published(ctx context.Context, upTo int64) error {
	return db.update(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM outbox WHERE lane = 'topic' AND n <= ?`, upTo)
		return wrap("clear published records", err)
	})
}

// Depth implements deliver.Outbox.
func (db *DB) Depth(ctx context.Context) (messages, records int, err error) {
	err = db.read.QueryRowContext(ctx, `SELECT COUNT(*) FILTER (WHERE lane = 'message'), COUNT(*) FILTER (WHERE lane = 'topic')
		FROM outbox WHERE status = 'waiting'`).Scan(&messages, &records)
	return messages, records, wrap("count the outbox", err)
}

// States are all messages to people, in the order in which they were written.
func (db *DB) States(ctx context.Context) ([]deliver.State, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, status, attempts FROM outbox WHERE lane = 'message' ORDER BY n`)
	all, err := collect(rows, err, func(rows *sql.Rows) (s deliver.State, err error) {
		err = rows.Scan(&s.ID, &s.Status, &s.Attempts)
		return s, err
	})
	return all, wrap("read how messages stand", err)
}

// AllAlerts are all alerts by id.
func (db *DB) AllAlerts(ctx context.Context) (map[string]*alerts.Alert, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT `+alertColumns+` FROM alerts`)
	all, err := collect(rows, err, db.scanAlert)
	out := make(map[string]*alerts.Alert, len(all))
	for i := range all {
		out[all[i].ID] = &all[i]
	}
	return out, wrap("read all alerts", err)
}

// TransitionCount is how many transitions were applied.
func (db *DB) TransitionCount(ctx context.Context) (int, error) {
	n, err := db.count(ctx, `SELECT COUNT(*) FROM transitions`)
	return n, wrap("count transitions", err)
}

// MessageOf is the message of a channel that a vendor knows by an id, and whom
// it was for; "" is none.
func (db *DB) MessageOf(ctx context.Context, channel, vendorID string) (id, person string, err error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, person_id FROM outbox WHERE channel = ? AND vendor_id = ? AND vendor_id <> '' ORDER BY n DESC LIMIT 1`, channel, vendorID)
	m, err := first(collect(rows, err, func(rows *sql.Rows) (m [2]string, err error) {
		err = rows.Scan(&m[0], &m[1])
		return m, err
	}))
	if m == nil {
		m = &[2]string{}
	}
	return m[0], m[1], wrap("read the message of a vendor's id", err)
}
