package rosterfile

import (
	"archive/zip"
	"bytes"
	"io"
	"testing"

	"github.com/xuri/excelize/v2"
)

// bomb is a workbook of some 200 KB whose sheet is 200 MB of blanks.
func bomb(t *testing.T) []byte {
	t.Helper()
	var small, big bytes.Buffer
	if err := excelize.NewFile().Write(&small); err != nil {
		t.Fatal(err)
	}
	in, err := zip.NewReader(bytes.NewReader(small.Bytes()), int64(small.Len()))
	if err != nil {
		t.Fatal(err)
	}
	out := zip.NewWriter(&big)
	for _, f := range in.File {
		r := must(f.Open())
		w := must(out.Create(f.Name))
		if _, err := io.Copy(w, r); err != nil {
			t.Fatal(err)
		}
		if f.Name != "xl/worksheets/sheet1.xml" {
			continue
		}
		blanks := bytes.Repeat([]byte(" "), 1<<20)
		for range 200 {
			if _, err := w.Write(blanks); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return big.Bytes()
}
