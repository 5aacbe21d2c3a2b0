package chaos

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Requests that faults wait for, by the protocol's number.
const (
	apiProduce      = 0
	apiFetch        = 1
	apiOffsetCommit = 8
)

// maxFrame is more than a broker accepts.
const maxFrame = 256 << 20

// readFrame reads one message, its length in front: the whole of it, length
// included.
func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return nil, fmt.Errorf("a message of %d bytes is none of Kafka's", n)
	}
	frame := make([]byte, 4+n)
	copy(frame, head[:])
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}

// request is what is to be known of a message to a broker.
type request struct {
	api         int16
	correlation int32
	topic       string // of the first partition of a Produce, with the prefix
	group       string // of an OffsetCommit, with the prefix
	offsets     []topicPartition
}

// topicPartition is one of which an OffsetCommit has an offset.
type topicPartition struct {
	topic     string
	partition int32
}

// parseRequest reads the head of a request, and of those that faults wait for
// what they are about. Versions are those of kafka-go: Produce up to 8, before
// the protocol's flexible encoding, and OffsetCommit 2.
func parseRequest(frame []byte) (request, error) {
	c := cursor{b: frame, at: 4}
	r := request{api: c.int16()}
	version := c.int16()
	r.correlation = c.int32()
	switch {
	case r.api == apiProduce && version <= 8:
		c.string() // client id
		if version >= 3 {
			c.string() // transactional id
		}
		c.int16() // acks
		c.int32() // timeout
		if c.int32() > 0 {
			r.topic = c.string()
		}
	case r.api == apiOffsetCommit && version == 2:
		c.string() // client id
		r.group = c.string()
		c.int32()  // generation
		c.string() // member
		c.take(8)  // retention
		for n := c.int32(); n > 0 && c.err == nil; n-- {
			topic := c.string()
			for m := c.int32(); m > 0 && c.err == nil; m-- {
				r.offsets = append(r.offsets, topicPartition{topic, c.int32()})
				c.take(8)  // offset
				c.string() // metadata
			}
		}
	case r.api == apiProduce || r.api == apiOffsetCommit:
		return r, fmt.Errorf("request %d in version %d is not known here", r.api, version)
	}
	return r, c.err
}

// correlation is which request an answer belongs to.
func correlation(frame []byte) int32 {
	if len(frame) < 8 {
		return -1
	}
	return int32(binary.BigEndian.Uint32(frame[4:]))
}

// refusal is a broker's answer to an OffsetCommit (version 2) that says of each
// partition that it cannot, with an error code of the protocol.
func (r *request) refusal(code int16) []byte {
	be := binary.BigEndian
	b := be.AppendUint32(make([]byte, 4), uint32(r.correlation))
	b = be.AppendUint32(b, uint32(len(r.offsets)))
	for _, o := range r.offsets {
		b = be.AppendUint16(b, uint16(len(o.topic)))
		b = append(b, o.topic...)
		b = be.AppendUint32(b, 1)
		b = be.AppendUint32(b, uint32(o.partition))
		b = be.AppendUint16(b, uint16(code))
	}
	be.PutUint32(b, uint32(len(b)-4))
	return b
}

// cursor reads the protocol's fixed encoding; after the first error it yields
// zeroes.
type cursor struct {
	b   []byte
	at  int
	err error
}

var errShort = errors.New("message ends too soon")

func (c *cursor) take(n int) []byte {
	if c.err != nil || len(c.b)-c.at < n {
		c.err, c.at = errShort, len(c.b)
		return make([]byte, min(n, 8))
	}
	c.at += n
	return c.b[c.at-n : c.at]
}

func (c *cursor) int16() int16 { return int16(binary.BigEndian.Uint16(c.take(2))) }
func (c *cursor) int32() int32 { return int32(binary.BigEndian.Uint32(c.take(4))) }

// string is "" for null, too.
func (c *cursor) string() string {
	n := int(c.int16())
	if n < 0 {
		return ""
	}
	return string(c.take(n))
}
