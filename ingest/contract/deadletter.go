package contract

import (
	"encoding/json"
	"fmt"
	"time"

	"weimang/ingest"
)

// DeadLetter is the record of topic weimang.deadletters: what could not be
// used, from where, and why. Key, Headers and Value may hold anything a sender
// wrote, names included, and are to be treated so; the other fields quote none
// of it but ContentType, which the sender set.
type DeadLetter struct {
	Topic       string        `json:"topic"`
	Partition   int           `json:"partition"`
	Offset      int64         `json:"offset"`
	Time        time.Time     `json:"time,omitzero"` // the refused record's, by its broker
	Reason      ingest.Reason `json:"reason"`
	Field       string        `json:"field,omitempty"` // place in the record, such as kwh[17]
	Text        string        `json:"text"`            // what the integrator can do about it
	ContentType string        `json:"content_type,omitempty"`
	At          time.Time     `json:"at"` // the run's clock when it was refused
	// Key, Headers and Value are as received, base64 in JSON. A nil key is
	// none, which is not the same as an empty one.
	Key     []byte   `json:"key,omitzero"`
	Headers []Header `json:"headers,omitempty"`
	Value   []byte   `json:"value"`
	// Cut says that not all of the record is kept here: it was too large. It
	// cannot be replayed.
	Cut bool `json:"cut,omitempty"`
}

// Header is one header of a refused record, in their order there.
type Header struct {
	Name  string `json:"name"`
	Value []byte `json:"value"`
}

// EncodeDeadLetter writes a dead letter as JSON.
func EncodeDeadLetter(d *DeadLetter) ([]byte, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode dead letter: %w", err)
	}
	return b, nil
}

// DecodeDeadLetter reads what EncodeDeadLetter wrote.
func DecodeDeadLetter(value []byte) (*DeadLetter, error) {
	d := new(DeadLetter)
	if err := json.Unmarshal(value, d); err != nil {
		return nil, fmt.Errorf("decode dead letter: %w", err)
	}
	return d, nil
}
