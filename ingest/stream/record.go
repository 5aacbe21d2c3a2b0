package stream

import (
	"time"

	"github.com/segmentio/kafka-go"
)

// Record is one record of a topic.
//
// When producing, Topic, Partition, Offset and Time are ignored: the key
// chooses the partition, and the broker's retention goes by the time of
// writing, so event time belongs into the value. A nil Value is a tombstone.
//
// When fetched, Key and Value share memory with the other records of their
// batch; copy what is kept for long.
type Record struct {
	Topic     string
	Partition int
	Offset    int64
	Key       []byte
	Value     []byte
	Headers   []kafka.Header
	Time      time.Time
}

// Header returns the value of the last header of that name.
func (r *Record) Header(name string) (string, bool) {
	for i := len(r.Headers) - 1; i >= 0; i-- {
		if r.Headers[i].Key == name {
			return string(r.Headers[i].Value), true
		}
	}
	return "", false
}

// size estimates the record's share of an uncompressed request.
func (r *Record) size() int {
	n := 24 + len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += 8 + len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return n
}

// Partition is the partition of n that Java's default partitioner chooses for
// a key: murmur2, sign bit cleared, modulo. An area's log lies where every
// Kafka tool expects it.
func Partition(key []byte, n int) int {
	return int((murmur2(key) & 0x7fffffff) % uint32(n)) //nolint:gosec // n is a partition count
}

// murmur2 is org.apache.kafka.common.utils.Utils.murmur2; kafka-go's own is
// not exported.
func murmur2(data []byte) uint32 {
	const (
		seed uint32 = 0x9747b28c
		m    uint32 = 0x5bd1e995
		r           = 24
	)
	h := seed ^ uint32(len(data)) //nolint:gosec // a key's length
	for len(data) >= 4 {
		k := uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24
		k *= m
		k ^= k >> r
		k *= m
		h *= m
		h ^= k
		data = data[4:]
	}
	switch len(data) {
	case 3:
		h ^= uint32(data[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(data[1]) << 8
		fallthrough
	case 1:
		h ^= uint32(data[0])
		h *= m
	}
	h ^= h >> 13
	h *= m
	h ^= h >> 15
	return h
}
