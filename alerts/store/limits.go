package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"slices"
	"time"

	"weimang/alerts/deliver"
)

// attempt is one that is about to be made.
type attempt struct {
	message                 int64
	channel, target, person string
	at                      time.Time
}

// targetKey names the key by which addresses are hashed.
const targetKey = "attempts"

// target stands for an address in the table of attempts, so that pruning the
// roster of a person leaves nothing of her number behind. The key is random and
// stands in the same store: the hash is worth nothing elsewhere.
func (t *tx) target(channel, address string) (string, error) {
	key, err := t.hashKey(targetKey)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(channel + "\x00" + address))
	return hex.EncodeToString(mac.Sum(nil)[:16]), nil
}

// hashKey is the key of that name; the first to ask makes it.
func (t *tx) hashKey(name string) ([]byte, error) {
	read := func() (*[]byte, error) {
		rows, err := t.query(`SELECT value FROM hash_keys WHERE name = ?`, name)
		return first(collect(rows, err, scanBytes))
	}
	key, err := read()
	if err != nil || key != nil {
		return deref(key), wrap("read key", err)
	}
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails
	if _, err := t.exec(`INSERT INTO hash_keys (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, fresh); err != nil {
		return nil, wrap("make key", err)
	}
	// Another process may have been faster.
	key, err = read()
	return deref(key), wrap("read key", err)
}

func deref(b *[]byte) []byte {
	if b == nil {
		return nil
	}
	return *b
}

// full is what leaves no room for an attempt, and until when; the zero value
// is room.
type full struct {
	of    deliver.LimitOf
	until time.Time
}

// full finds what has room last: a hold, or a limit whose last N attempts all
// lie within its span. Where there are limits it first takes the row of what
// they count, so that two processes on one database cannot both take the last
// place.
func (t *tx) full(a attempt, limits []deliver.Limit) (f full, err error) {
	later := func(of deliver.LimitOf, until time.Time) {
		if until.After(a.at) && until.After(f.until) {
			f = full{of, until}
		}
	}
	hold, err := t.hold(a.channel, a.target, len(limits) > 0)
	if err != nil {
		return f, err
	}
	later(deliver.OfAddress, hold)
	if slices.ContainsFunc(limits, func(l deliver.Limit) bool { return l.Of == deliver.OfChannel }) {
		if _, err := t.hold(a.channel, wholeChannel, true); err != nil {
			return f, err
		}
	}
	for _, l := range limits {
		since, n := millis(a.at.Add(-l.Per)), l.N-1
		var rows *sql.Rows
		if l.Of == deliver.OfChannel {
			rows, err = t.query(`SELECT at FROM attempts WHERE channel = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?`, a.channel, since, n)
		} else {
			rows, err = t.query(`SELECT at FROM attempts WHERE channel = ? AND target = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?`, a.channel, a.target, since, n)
		}
		oldest, err := first(collect(rows, err, scanMillis))
		if err != nil {
			return f, wrap("count attempts", err)
		}
		if oldest != nil {
			later(l.Of, oldest.Add(l.Per+time.Millisecond))
		}
	}
	return f, nil
}

// wholeChannel stands where a target would: no hash is so short.
const wholeChannel = "*"

// hold is until when an address is to be left alone. With lock its row is made
// where there is none, and nobody else's transaction reads it before the end of
// this one.
func (t *tx) hold(channel, target string, lock bool) (time.Time, error) {
	var rows *sql.Rows
	var err error
	if lock {
		rows, err = t.query(`INSERT INTO holds (channel, target, until_at) VALUES (?, ?, 0)
			ON CONFLICT (channel, target) DO UPDATE SET until_at = holds.until_at RETURNING until_at`, channel, target)
	} else {
		rows, err = t.query(`SELECT until_at FROM holds WHERE channel = ? AND target = ?`, channel, target)
	}
	until, err := first(collect(rows, err, scanMillis))
	if err != nil || until == nil {
		return time.Time{}, wrap("read holds", err)
	}
	return *until, nil
}

// putOff moves the message, and all else that is due to the same person or on
// the whole channel, to when there is room. They become due together, so that
// the gravest goes first. It reports false, and moves nothing, when the message
// was not due any more.
func (t *tx) putOff(a attempt, f full) (bool, error) {
	due, at := millis(f.until), millis(a.at)
	n, err := t.exec(`UPDATE outbox SET due_at = ? WHERE n = ? AND status = 'waiting' AND due_at <= ?`, due, a.message, at)
	if err != nil || n == 0 {
		return false, wrap("put a message off", err)
	}
	if f.of == deliver.OfChannel {
		_, err = t.exec(`UPDATE outbox SET due_at = ? WHERE lane = 'message' AND status = 'waiting' AND channel = ? AND due_at <= ?`, due, a.channel, at)
	} else {
		_, err = t.exec(`UPDATE outbox SET due_at = ? WHERE lane = 'message' AND status = 'waiting' AND channel = ? AND person_id = ? AND due_at <= ?`,
			due, a.channel, a.person, at)
	}
	return err == nil, wrap("put messages off", err)
}

func (t *tx) noteAttempt(a attempt) error {
	_, err := t.exec(`INSERT INTO attempts (message, channel, target, at) VALUES (?, ?, ?, ?)`, a.message, a.channel, a.target, millis(a.at))
	return wrap("note attempt", err)
}

// endAttempt dates the attempt by its end: by then the vendor has counted it,
// so that our span never begins before theirs.
func (t *tx) endAttempt(it deliver.Item, out deliver.Outcome) error {
	if _, err := t.exec(`UPDATE attempts SET at = ? WHERE n = (SELECT MAX(n) FROM attempts WHERE message = ?) AND at < ?`,
		millis(out.At), it.N, millis(out.At)); err != nil {
		return wrap("end attempt", err)
	}
	if out.Hold.IsZero() {
		return nil
	}
	target, err := t.target(it.Message.Channel, it.Message.Address)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO holds (channel, target, until_at) VALUES (?, ?, ?)
		ON CONFLICT (channel, target) DO UPDATE SET until_at = excluded.until_at`, it.Message.Channel, target, millis(out.Hold))
	return wrap("hold an address", err)
}

// ForgetAttempts implements deliver.Outbox.
func (db *DB) ForgetAttempts(ctx context.Context, before time.Time) error {
	return db.update(ctx, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM attempts WHERE at < ?`, millis(before)); err != nil {
			return wrap("forget attempts", err)
		}
		_, err := t.exec(`DELETE FROM holds WHERE until_at < ?`, millis(before))
		return wrap("forget holds", err)
	})
}

func scanMillis(rows *sql.Rows) (time.Time, error) {
	var ms int64
	err := rows.Scan(&ms)
	return fromMillis(ms), err
}
