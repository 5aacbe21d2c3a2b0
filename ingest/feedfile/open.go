package feedfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
)

// openFile opens a file for reading, "-" being standard input, with its size
// or 0 where there is none to know.
func openFile(path string) (f io.ReadCloser, size int64, err error) {
	if path == "-" {
		return io.NopCloser(os.Stdin), 0, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	return file, size, nil
}

// readFile hands an opened file to read and names the file in its error.
func readFile[T any](path string, read func(r io.Reader, size int64) (T, error)) (T, error) {
	f, size, err := openFile(path)
	if err != nil {
		var none T
		return none, err // names the file itself
	}
	defer f.Close() //nolint:errcheck // only read from
	v, err := read(f, size)
	if err != nil {
		return v, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// Text is what a file says: unpacked when it is gzip, without the byte order
// mark that spreadsheets put in front.
func Text(r io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if magic, _ := b.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("read gzip: %w", err)
		}
		b = bufio.NewReaderSize(z, 64<<10)
	}
	if mark, _ := b.Peek(3); string(mark) == "\ufeff" {
		_, _ = b.Discard(3) // they are in the buffer
	}
	return b, nil
}

// progressReader reports how many bytes have been read.
type progressReader struct {
	r        io.Reader
	read     int64
	size     int64
	progress func(read, size int64)
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.read += int64(n)
	p.progress(p.read, p.size)
	return n, err
}
