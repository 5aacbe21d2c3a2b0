package contract_test

import (
	"testing"

	"weimang/ingest/contract"
)

func BenchmarkDecode(b *testing.B) {
	const single, day = "reading-good-single.json", "reading-good-day-block-with-null.json"
	files := examples(b, "reading-good-*.json")
	for _, name := range []string{single, day} {
		block, err := contract.Decode(contract.JSON, files[name])
		if err != nil {
			b.Fatal(err)
		}
		for _, contentType := range []string{contract.JSON, contract.Protobuf} {
			value := contract.EncodeJSON(&block)
			if contentType == contract.Protobuf {
				value = contract.EncodeProtobuf(&block)
			}
			b.Run(map[string]string{single: "single", day: "day"}[name]+"/"+contentType, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(value)))
				for b.Loop() {
					if _, err := contract.Decode(contentType, value); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
