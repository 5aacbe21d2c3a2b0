package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
)

// Lanes of the outbox.
const (
	laneMessage = "message" // to people, through channels
	laneTopic   = "topic"   // to topic weimang.alerts
)

// AddTransition implements alerts.Tx.
func (t *tx) AddTransition(tr alerts.Transition, recorded time.Time) (bool, error) {
	// What still comes about somebody who was erased is as good as known.
	if erased, err := t.erased(tr.AlertID[:max(strings.LastIndexByte(tr.AlertID, '/'), 0)]); err != nil || erased {
		return false, err
	}
	n, err := t.exec(`INSERT INTO transitions (alert_id, seq, finding, recorded_at) VALUES (?, ?, ?, ?) ON CONFLICT (alert_id, seq) DO NOTHING`,
		tr.AlertID, tr.Seq, string(tr.Raw), millis(recorded))
	if err != nil {
		return false, fmt.Errorf("add transition: %w", err)
	}
	return n == 1, nil
}

// Alert implements alerts.Tx.
func (t *tx) Alert(id string) (*alerts.Alert, error) {
	rows, err := t.query(`SELECT `+alertColumns+` FROM alerts WHERE id = ?`, id)
	a, err := first(collect(rows, err, t.db.scanAlert))
	return a, wrap("read alert", err)
}

// OpenAlert implements alerts.Tx.
func (t *tx) OpenAlert(subject string) (*alerts.Alert, error) {
	rows, err := t.query(`SELECT `+alertColumns+` FROM alerts WHERE subject = ? AND resolved_at IS NULL`, subject)
	a, err := first(collect(rows, err, t.db.scanAlert))
	return a, wrap("read open alert", err)
}

// PutAlert implements alerts.Tx.
func (t *tx) PutAlert(a *alerts.Alert) error {
	finding, err := encodeFinding(a.Finding)
	if err != nil {
		return fmt.Errorf("put alert: %w", err)
	}
	ending, err := encodeFinding(a.Ending)
	if err != nil {
		return fmt.Errorf("put alert: %w", err)
	}
	chain := ""
	if a.Chain != nil {
		if chain, err = a.Chain.Encode(); err != nil {
			return fmt.Errorf("put alert: %w", err)
		}
	}
	handed, err := t.db.seal("alerts.handed_to", a.ID, a.HandedTo)
	if err != nil {
		return fmt.Errorf("put alert: %w", err)
	}
	_, err = t.exec(`INSERT INTO alerts (`+alertColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
			?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET village_id = excluded.village_id, kind = excluded.kind, severity = excluded.severity, onset = excluded.onset,
			updated_at = excluded.updated_at, resolved_at = excluded.resolved_at, last_seq = excluded.last_seq,
			finding = excluded.finding, ending = excluded.ending, stage = excluded.stage, chain = excluded.chain, step = excluded.step,
			round = excluded.round, step_at = excluded.step_at, rests = excluded.rests, told_at = excluded.told_at,
			holder_id = excluded.holder_id, holder_role = excluded.holder_role, held_at = excluded.held_at, reminded = excluded.reminded,
			helped = excluded.helped, silenced = excluded.silenced, outcome = excluded.outcome, handed_to = excluded.handed_to,
			follow_up_at = excluded.follow_up_at, closed_at = excluded.closed_at, look_at = excluded.look_at, continues = excluded.continues`,
		a.ID, a.Subject, a.HouseholdID, a.AreaID, a.VillageID, string(a.Kind), int(a.Severity), millis(a.Onset),
		millis(a.OpenedAt), millis(a.UpdatedAt), optMillis(a.ResolvedAt), a.LastSeq, finding, ending,
		string(a.Stage), chain, a.Place.Link, a.Place.Round, optMillis(a.Place.Since), bit(a.Place.Rests), optMillis(a.ToldAt),
		a.Holder.PersonID, string(a.Holder.Role), optMillis(a.HeldAt), a.Reminded, bit(a.Helped), string(a.Silenced), string(a.Outcome), handed,
		optMillis(a.FollowUpAt), optMillis(a.ClosedAt), optMillis(a.LookAt), a.Continues)
	return wrap("put alert", err)
}

// AppendEvent implements alerts.Tx.
func (t *tx) AppendEvent(e alerts.Event) error {
	_, err := t.exec(`INSERT INTO history (alert_id, seq, event, at, detail, recorded_at, person_id) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		e.AlertID, e.Seq, string(e.Kind), millis(e.At), e.Detail, millis(e.RecordedAt), e.PersonID)
	return wrap("append history", err)
}

// Household implements alerts.Tx.
func (t *tx) Household(id string) (*roster.Household, error) {
	now := millis(t.db.now())
	rows, err := t.query(`SELECT `+householdColumns+` FROM `+placed+` WHERE id = ?`, now, now, now, id)
	h, err := first(collect(rows, err, scanHousehold))
	return h, wrap("read household", err)
}

// AreaHouseholds implements alerts.Tx.
func (t *tx) AreaHouseholds(area string) ([]roster.Household, error) {
	now := millis(t.db.now())
	// A household that is or was there has a row that says so; the rest need not be placed.
	rows, err := t.query(`SELECT `+householdColumns+` FROM `+placed+` WHERE id IN (SELECT household_id FROM homes WHERE area_id = ?)
		AND area_id = ? AND `+watched+` ORDER BY village_id, id`, now, now, now, area, area, now)
	hs, err := collect(rows, err, scanHousehold)
	return hs, wrap("read households of an area", err)
}

// Told implements alerts.Tx.
func (t *tx) Told(alertID, personID string) (bool, error) {
	rows, err := t.query(`SELECT 1 FROM outbox WHERE alert_id = ? AND person_id = ? LIMIT 1`, alertID, personID)
	all, err := collect(rows, err, scanInt)
	return len(all) > 0, wrap("read outbox", err)
}

const enqueue = `INSERT INTO outbox (id, lane, alert_id, seq, person_id, channel, rank, severity, payload, created_at, due_at, deadline_at, topic, attempts, status, last_error)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 'waiting', '') ON CONFLICT (id) DO NOTHING`

// EnqueueMessage implements alerts.Tx.
func (t *tx) EnqueueMessage(m alerts.Message) error {
	payload, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	created := millis(m.CreatedAt)
	_, err = t.exec(enqueue, m.ID, laneMessage, m.AlertID, m.Seq, m.To.PersonID, m.Channel, int(m.Rank), int(m.Severity),
		string(payload), created, created, millis(m.Deadline), "")
	return wrap("enqueue message", err)
}

// EnqueueRecord implements alerts.Tx.
func (t *tx) EnqueueRecord(r alerts.Record, created time.Time) error {
	at := millis(created)
	_, err := t.exec(enqueue, laneTopic+":"+r.ID, laneTopic, r.AlertID, 0, r.Key, "", 0, 0, string(r.Value), at, at, at, r.Topic)
	return wrap("enqueue record", err)
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
