package detect

import (
	"encoding/binary"
	"errors"

	"github.com/segmentio/kafka-go"

	"weimang/ingest/stream"
)

// A checkpoint is the partition and the offset its state stands for, then the
// state.
func encodeCheckpoint(a *area) ([]byte, error) {
	state, err := a.Encode()
	if err != nil {
		return nil, err
	}
	head := binary.AppendUvarint(nil, uint64(a.partition))
	return append(binary.AppendUvarint(head, uint64(a.next)), state...), nil
}

// checkpoint is an encoded state with what it stands for.
type checkpoint struct {
	partition int
	next      int64
	state     []byte
}

func decodeCheckpoint(raw []byte) (checkpoint, error) {
	partition, n := binary.Uvarint(raw)
	if n <= 0 {
		return checkpoint{}, errors.New("checkpoint without a partition")
	}
	next, m := binary.Uvarint(raw[n:])
	if m <= 0 {
		return checkpoint{}, errors.New("checkpoint without an offset")
	}
	return checkpoint{int(partition), int64(next), raw[n+m:]}, nil
}

// DecodeCheckpoint reads a record of weimang.checkpoints: the state of an area
// (detectors.DecodeArea), the partition of weimang.inputs it was computed from,
// and the first offset there that is not in it.
func DecodeCheckpoint(raw []byte) (state []byte, partition int, next int64, err error) {
	c, err := decodeCheckpoint(raw)
	return c.state, c.partition, c.next, err
}

// better reports whether c is to be preferred to another checkpoint of its
// area, written before it, when the area belongs to partition. A member that
// has lost the area without knowing may have written after the owner: of two
// states the one that stands for more of the log is the better.
func (c checkpoint) better(than checkpoint, partition int) bool {
	switch {
	case c.partition == than.partition:
		return c.next >= than.next
	case than.partition == partition:
		return false
	default:
		return true
	}
}

// generationHeader tells which generation of the group saved an area.
const generationHeader = "weimang-generation"

func checkpointRecord(areaID string, value, generation []byte) stream.Record {
	return stream.Record{
		Key: []byte(areaID), Value: value,
		Headers: []kafka.Header{{Key: generationHeader, Value: generation}},
	}
}
