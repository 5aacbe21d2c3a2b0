// Package stream is the Kafka plumbing under every service: topics, a producer
// that waits for its acknowledgement, consumer groups whose offsets are
// committed only by the generation that owns them, readers of whole
// (compacted) topics, and an embedded broker for one machine.
//
// It rests on segmentio/kafka-go's Client and ConsumerGroup. Its Reader,
// Writer and Conn batches are left alone: they hang or die on the log shapes a
// compacted topic leaves, rewind offsets of lost partitions, or wait a second
// for each write.
//
// Delivery is at least once, everywhere: a retry whose first try did arrive
// writes twice, and what was handled but not committed is handled again.
// Consumers ignore an identity they have seen. The package knows nothing of
// what records mean.
package stream
