package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Keys seal what is personal in the store: AES-256-GCM with the column and the
// row as additional data, so that a value opens only where it was written. The
// first key seals, all open. nil seals nothing.
type Keys struct {
	keys []key
}

type key struct {
	id    string // stands in what it has sealed
	seal  cipher.AEAD
	blind []byte
}

// A sealed value is sealedMark, the key's id, a colon, and nonce and
// ciphertext in base64. A plain value that looks like one, or like an escaped one,
// has plainMark before it.
const (
	sealedMark = "sealed:1:"
	plainMark  = "plain:"
)

// ParseKeys reads keys of 32 bytes in base64 or hex, parted by commas or white
// space, the one that seals first. The error repeats nothing of them.
func ParseKeys(text string) (*Keys, error) {
	fields := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
	if len(fields) == 0 {
		return nil, nil
	}
	k := &Keys{}
	for i, field := range fields {
		secret, err := decodeKey(field)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		one, err := newKey(secret)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		if slices.ContainsFunc(k.keys, func(other key) bool { return other.id == one.id }) {
			return nil, fmt.Errorf("key %d stands there twice", i+1)
		}
		k.keys = append(k.keys, one)
	}
	return k, nil
}

func decodeKey(s string) ([]byte, error) {
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawURLEncoding.DecodeString, base64.URLEncoding.DecodeString} {
		if b, err := decode(s); err == nil && len(b) == 32 {
			return b, nil
		}
	}
	return nil, errors.New("must be 32 bytes in base64 or hex, such as openssl rand -base64 32 prints")
}

// newKey derives what seals and what blinds from a secret (HKDF, RFC 5869), so
// that neither says anything of the other.
func newKey(secret []byte) (key, error) {
	derive := func(purpose string, n int) ([]byte, error) {
		return hkdf.Key(sha256.New, secret, nil, "weimang store "+purpose, n)
	}
	id, err := derive("name", 4)
	if err != nil {
		return key{}, err
	}
	sealing, err := derive("seal", 32)
	if err != nil {
		return key{}, err
	}
	blinding, err := derive("blind", 32)
	if err != nil {
		return key{}, err
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return key{}, err
	}
	gcm, err := cipher.NewGCM(block)
	return key{hex.EncodeToString(id), gcm, blinding}, err
}

// seal is a personal value as it stands in a column ("table.column") of a row.
// Nothing stays nothing.
func (db *DB) seal(column, row, value string) (string, error) {
	if value == "" {
		return "", nil
	}
	if db.keys == nil {
		if strings.HasPrefix(value, sealedMark) || strings.HasPrefix(value, plainMark) {
			value = plainMark + value
		}
		return value, nil
	}
	return db.keys.keys[0].sealed(column, row, value)
}

func (k *key) sealed(column, row, value string) (string, error) {
	nonce := make([]byte, k.seal.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("seal %s: %w", column, err)
	}
	return sealedMark + k.id + ":" + base64.RawStdEncoding.EncodeToString(k.seal.Seal(nonce, nonce, []byte(value), place(column, row))), nil
}

// place is the additional data of a value.
func place(column, row string) []byte { return []byte(column + "\x00" + row) }

// unseal is what seal was given; what was written before there was a key is
// plain.
func (db *DB) unseal(column, row, stored string) (string, error) {
	body, isSealed := strings.CutPrefix(stored, sealedMark)
	if !isSealed {
		return strings.TrimPrefix(stored, plainMark), nil
	}
	id, text, _ := strings.Cut(body, ":")
	k := db.keys.find(id)
	if k == nil {
		return "", fmt.Errorf("open %s: it is sealed with key %s, which store.key does not have", column, id)
	}
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(b) < k.seal.NonceSize() {
		return "", fmt.Errorf("open %s: the sealed value is damaged", column)
	}
	n := k.seal.NonceSize()
	value, err := k.seal.Open(nil, b[:n], b[n:], place(column, row))
	if err != nil {
		return "", fmt.Errorf("open %s: the sealed value is damaged, or was moved from another row", column)
	}
	return string(value), nil
}

func (k *Keys) find(id string) *key {
	if k == nil {
		return nil
	}
	i := slices.IndexFunc(k.keys, func(one key) bool { return one.id == id })
	if i < 0 {
		return nil
	}
	return &k.keys[i]
}

// blind is a keyed hash of an address, by which it can be looked up.
func (db *DB) blind(address string) string {
	if db.keys == nil {
		return blindWith(nil, address)
	}
	return blindWith(db.keys.keys[0].blind, address)
}

func blindWith(key []byte, address string) string {
	if address == "" {
		return ""
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(address))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

// blinds are all hashes under which an address may stand: of each key, and of
// the time before there was one.
func (db *DB) blinds(address string) []string {
	out := []string{blindWith(nil, address)}
	if db.keys != nil {
		for _, k := range db.keys.keys {
			out = append(out, blindWith(k.blind, address))
		}
	}
	return out
}

const proofText = "weimang"

// useKeys has the store seal with keys and open with them. It refuses keys
// that do not open what is there.
func (db *DB) useKeys(ctx context.Context, keys *Keys) error {
	rows, err := db.read.QueryContext(ctx, `SELECT key_id, proof FROM seals ORDER BY key_id`)
	known, err := collect(rows, err, func(rows *sql.Rows) (s [2]string, err error) {
		err = rows.Scan(&s[0], &s[1])
		return s, err
	})
	if err != nil {
		return wrap("read the store's keys", err)
	}
	opening, noted := &DB{keys: keys}, keys == nil
	for _, s := range known {
		switch k := keys.find(s[0]); {
		case keys == nil:
			return fmt.Errorf("the store is sealed with key %s, and store.key is empty; give the key", s[0])
		case k == nil:
			return fmt.Errorf("the store is sealed with key %s, which store.key does not have; add it after the others until weimang store rekey is done", s[0])
		}
		if text, err := opening.unseal("seals.proof", s[0], s[1]); err != nil || text != proofText {
			return fmt.Errorf("store.key: key %s does not open what it has sealed", s[0])
		}
		noted = noted || s[0] == keys.keys[0].id
	}
	db.keys = keys
	if noted {
		return nil
	}
	return db.update(ctx, (*tx).proveKey)
}

// proveKey notes the key that seals from now on, before anything is sealed with
// it.
func (t *tx) proveKey() error {
	id := t.db.keys.keys[0].id
	proof, err := t.db.seal("seals.proof", id, proofText)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO seals (key_id, proof) VALUES (?, ?) ON CONFLICT (key_id) DO NOTHING`, id, proof)
	return wrap("note the store's key", err)
}
