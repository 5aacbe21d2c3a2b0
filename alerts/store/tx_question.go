package store

import (
	"database/sql"
	"strings"
	"time"

	"weimang/alerts"
)

const questionColumns = `n, alert_id, message_id, person_id, actions, asked_at, expires_at, used_at, used`

func scanQuestion(rows *sql.Rows) (q alerts.Question, err error) {
	var actions, said string
	var asked, expires int64
	var used sql.NullInt64
	err = rows.Scan(&q.N, &q.AlertID, &q.MessageID, &q.PersonID, &actions, &asked, &expires, &used, &said)
	for _, a := range words(actions) {
		q.Actions = append(q.Actions, alerts.Action(a))
	}
	for _, a := range words(said) {
		q.Used = append(q.Used, alerts.Action(a))
	}
	q.AskedAt, q.ExpiresAt, q.UsedAt = fromMillis(asked), fromMillis(expires), fromOptMillis(used)
	return q, err
}

// AddQuestion implements alerts.QuestionTx.
func (t *tx) AddQuestion(q *alerts.Question) error {
	actions := make([]string, len(q.Actions))
	for i, a := range q.Actions {
		actions[i] = string(a)
	}
	rows, err := t.query(`INSERT INTO questions (alert_id, message_id, person_id, actions, asked_at, expires_at, used) VALUES (?, ?, ?, ?, ?, ?, '') RETURNING n`,
		q.AlertID, q.MessageID, q.PersonID, strings.Join(actions, ","), millis(q.AskedAt), millis(q.ExpiresAt))
	n, err := collect(rows, err, func(rows *sql.Rows) (n int64, err error) {
		err = rows.Scan(&n)
		return n, err
	})
	if err != nil {
		return wrap("add question", err)
	}
	q.N = n[0]
	return nil
}

// Question implements alerts.QuestionTx.
func (t *tx) Question(n int64) (*alerts.Question, error) {
	rows, err := t.query(`SELECT `+questionColumns+` FROM questions WHERE n = ?`, n)
	q, err := first(collect(rows, err, scanQuestion))
	return q, wrap("read question", err)
}

// LastQuestion implements alerts.QuestionTx.
func (t *tx) LastQuestion(personID string, now time.Time) (*alerts.Question, error) {
	rows, err := t.query(`SELECT `+questionColumns+` FROM questions WHERE person_id = ? AND used_at IS NULL AND expires_at >= ?
		ORDER BY asked_at DESC, n DESC LIMIT 1`, personID, millis(now))
	q, err := first(collect(rows, err, scanQuestion))
	return q, wrap("read the last question", err)
}

// QuestionOf implements alerts.QuestionTx.
func (t *tx) QuestionOf(messageID string) (*alerts.Question, error) {
	rows, err := t.query(`SELECT `+questionColumns+` FROM questions WHERE message_id = ? ORDER BY n DESC LIMIT 1`, messageID)
	q, err := first(collect(rows, err, scanQuestion))
	return q, wrap("read the question of a message", err)
}

// UseQuestion implements alerts.QuestionTx.
func (t *tx) UseQuestion(n int64, used alerts.Action, at time.Time) error {
	_, err := t.exec(`UPDATE questions SET used_at = ?, used = CASE WHEN used = '' THEN ? ELSE used || ',' || ? END WHERE n = ?`,
		millis(at), string(used), string(used), n)
	return wrap("use question", err)
}

// AddTry implements alerts.QuestionTx.
func (t *tx) AddTry(question int64, personID string, at time.Time) error {
	_, err := t.exec(`INSERT INTO tries (question, person_id, at) VALUES (?, ?, ?)`, question, personID, millis(at))
	return wrap("note a wrong answer", err)
}

// Tries implements alerts.QuestionTx.
func (t *tx) Tries(question int64, since time.Time) (lately, ever int, err error) {
	rows, err := t.query(`SELECT at FROM tries WHERE question = ?`, question)
	all, err := collect(rows, err, func(rows *sql.Rows) (at int64, err error) {
		err = rows.Scan(&at)
		return at, err
	})
	for _, at := range all {
		if at > millis(since) {
			lately++
		}
	}
	return lately, len(all), wrap("count wrong answers", err)
}
