package detect

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/ingest/stream"
)

// A checkpoint is the partition and the offset its state stands for, then the
// state. What is said about it stands in a header.
func encodeCheckpoint(a *area) ([]byte, error) {
	state := a.raw
	if a.state != nil {
		var err error
		if state, err = a.state.Encode(); err != nil {
			return nil, err
		}
	}
	head := binary.AppendUvarint(nil, uint64(a.partition))
	return append(binary.AppendUvarint(head, uint64(a.next)), state...), nil
}

// stamp is when a checkpoint was saved, in the order of those who had the right
// to: a member of a later generation has taken the area over from one of an
// earlier one. Kafka lets anybody write, also who has lost the partition and
// does not know it yet.
type stamp struct {
	// Epoch counts how often the group's generations have begun anew, as they
	// do when the group was deleted.
	Epoch      int `json:"epoch,omitempty"`
	Generation int `json:"generation"`
	// Save counts the writes of a partition's owner. A lost request that
	// arrives after all shows by it.
	Save int `json:"save"`
}

func (s stamp) compare(o stamp) int {
	return cmp.Or(cmp.Compare(s.Epoch, o.Epoch), cmp.Compare(s.Generation, o.Generation), cmp.Compare(s.Save, o.Save))
}

// layout is how many partitions the two topics have. An area lies elsewhere
// where it is another.
type layout struct {
	Inputs      int `json:"inputs,omitempty"`
	Checkpoints int `json:"checkpoints,omitempty"`
}

// label is what a checkpoint's header says.
type label struct {
	stamp
	// layout is left zero as long as areas of the partition may still lie in
	// others: then a restore has to look there.
	layout
	Homes     int    `json:"homes"`
	Silent    int    `json:"silent"`
	Watermark int64  `json:"watermark"` // unix seconds
	CRC       uint32 `json:"crc"`       // of the record's value, Castagnoli
}

// labelHeader is the header of a checkpoint that holds its label, as JSON.
const labelHeader = "weimang-checkpoint"

// generationHeader is all that a checkpoint says which an earlier version saved.
const generationHeader = "weimang-generation"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record is the checkpoint of an area under a label, of which it fills in what
// speaks of the area.
func (l label) record(a *area) (stream.Record, error) {
	value, err := encodeCheckpoint(a)
	if err != nil {
		return stream.Record{}, err
	}
	l.Homes, l.Silent, l.Watermark, l.CRC = a.homes, a.unheard, a.watermark.Unix(), crc32.Checksum(value, castagnoli)
	header, err := json.Marshal(l)
	if err != nil {
		return stream.Record{}, err
	}
	return stream.Record{
		Key: []byte(a.id), Value: value,
		Headers: []kafka.Header{{Key: labelHeader, Value: header}},
	}, nil
}

// checkpoint is an encoded state with what it stands for.
type checkpoint struct {
	label
	labelled  bool
	partition int
	next      int64
	state     []byte

	at   place // where it lies
	late bool  // written after one with a later stamp
	// again: another one of the area was saved since and is gone, so the log
	// is read again from next on.
	again bool
	// stale: the last of its area in the topic is a late one, so that a cleaner
	// would keep the wrong one.
	stale bool
	err   error // what is wrong with it
}

// place is where a checkpoint lies in weimang.checkpoints.
type place struct {
	partition int
	offset    int64
}

// decodeCheckpoint reads a checkpoint. What is wrong with it is said by err, and
// the offset then is as good as it could be read.
func decodeCheckpoint(r *stream.Record) checkpoint {
	c := checkpoint{at: place{r.Partition, r.Offset}}
	if text, ok := r.Header(labelHeader); ok {
		if err := json.Unmarshal([]byte(text), &c.label); err != nil {
			c.err = fmt.Errorf("label: %w", err)
			return c
		}
		c.labelled = true
	} else if text, ok := r.Header(generationHeader); ok {
		c.Generation, _ = strconv.Atoi(text) // 0: before all others
	}
	partition, n := binary.Uvarint(r.Value)
	if n <= 0 {
		c.err = errors.New("checkpoint without a partition")
		return c
	}
	next, m := binary.Uvarint(r.Value[n:])
	if m <= 0 {
		c.err = errors.New("checkpoint without an offset")
		return c
	}
	c.partition, c.next, c.state = int(partition), int64(next), r.Value[n+m:]
	switch {
	case c.labelled && crc32.Checksum(r.Value, castagnoli) != c.CRC:
		c.err = errors.New("state is damaged: its checksum is another")
	case len(c.state) == 0:
		c.err = errors.New("checkpoint without a state")
	}
	return c
}

// DecodeCheckpoint reads a record of weimang.checkpoints: the state of an area
// (detectors.DecodeArea), the partition of weimang.inputs it was computed from,
// and the first offset there that is not in it.
func DecodeCheckpoint(r *stream.Record) (state []byte, partition int, next int64, err error) {
	c := decodeCheckpoint(r)
	return c.state, c.partition, c.next, c.err
}

// watermark is the area's, as far as the label knows.
func (c *checkpoint) watermark() time.Time { return time.Unix(c.Watermark, 0).UTC() }

// better reports whether c is to be preferred to another checkpoint of its
// area, written before it, when the area belongs to partition. A state in the
// area's own log is the latest once there is one. Else the later stamp counts,
// and of two that say the same of that, as those without a label do, the one
// that stands for more of the log.
func (c *checkpoint) better(than *checkpoint, partition int) bool {
	if mine, other := c.partition == partition, than.partition == partition; mine != other {
		return mine
	}
	if n := c.compare(than.stamp); n != 0 {
		return n > 0
	}
	return c.partition != than.partition || c.next >= than.next
}
