package detect

import (
	"github.com/segmentio/kafka-go"

	"weimang/ingest/stream"
)

// generationHeader tells which generation of the group saved an area.
const generationHeader = "weimang-generation"

func checkpointRecord(areaID string, value, generation []byte) stream.Record {
	return stream.Record{
		Key: []byte(areaID), Value: value,
		Headers: []kafka.Header{{Key: generationHeader, Value: generation}},
	}
}
