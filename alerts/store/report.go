package store

import (
	"context"
	"database/sql"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

// Reported is the half of deliver.Inbox that concerns the outbox: a message that
// was sent is delivered, or dead after all, and then the escalation is woken.
// What a vendor says of a message that is delivered or dead already changes
// nothing: a call is reported twice, by its end and by its failure.
func (db *DB) Reported(ctx context.Context, channel string, r deliver.Report) error {
	return db.update(ctx, func(t *tx) error {
		rows, err := t.query(`SELECT n, status, payload, created_at, deadline_at FROM outbox WHERE channel = ? AND vendor_id = ? AND vendor_id <> '' ORDER BY n`,
			channel, r.VendorID)
		all, err := collect(rows, err, scanReported)
		if err != nil {
			return wrap("read the message of a report", err)
		}
		if len(all) == 0 {
			return deliver.ErrUnknownMessage
		}
		for _, m := range all {
			if err := t.report(m, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// reported is a message that a report is about.
type reported struct {
	n       int64
	status  deliver.Status
	message alerts.Message
}

func (t *tx) report(m reported, r deliver.Report) error {
	if m.status == deliver.Dead && r.Reason == deliver.BadAddress {
		// The end of a call may be reported before its cause.
		_, err := t.exec(`UPDATE outbox SET reason = ? WHERE n = ?`, string(r.Reason), m.n)
		return wrap("note a wrong address", err)
	}
	if m.status != deliver.Sent {
		return nil
	}
	if r.Delivered {
		_, err := t.exec(`UPDATE outbox SET status = 'delivered', done_at = ? WHERE n = ?`, millis(r.At), m.n)
		return wrap("note a delivery", err)
	}
	if _, err := t.exec(`UPDATE outbox SET status = 'dead', done_at = ?, reason = ?, last_error = 'reported as not delivered' WHERE n = ?`,
		millis(r.At), string(r.Reason), m.n); err != nil {
		return wrap("note a failed delivery", err)
	}
	// The escalation looks by our clock, whatever the vendor's says.
	return t.tellOutcome(m.message, deliver.Dead, t.db.now())
}

func scanReported(rows *sql.Rows) (m reported, err error) {
	var payload, status string
	var created, deadline int64
	if err := rows.Scan(&m.n, &status, &payload, &created, &deadline); err != nil {
		return m, err
	}
	m.status = deliver.Status(status)
	m.message, err = decodeMessage(payload, created, deadline)
	return m, err
}
