package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// kfake's cleaner removes the files of a compacted partition and then writes
// what is left of them: a process killed in between has lost acknowledged
// records. So every file is kept under a second name while it cleans, and what
// was lost is put back at the next start. This goes by kfake's files as of the
// version in go.mod: log/partitions/<topic>-<n>/<first offset>.dat and .idx.
type cleaning struct{ dir string } // the embedded broker's

func (c cleaning) partitions() string { return filepath.Join(c.dir, "log", "partitions") }

// kept is there while the cleaner is at work. It is made, and goes, by a
// change of name, so that it is never there in part.
func (c cleaning) kept() string { return filepath.Join(c.dir, "cleaning") }

// begin keeps every file. The cleaner writes new ones, and what is appended until
// it begins goes into those kept as well.
func (c cleaning) begin() error {
	if err := c.end(); err != nil { // of a time when that failed
		return err
	}
	half := c.kept() + ".half"
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	dirs, err := os.ReadDir(c.partitions())
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was ever written
	} else if err != nil {
		return err
	}
	for _, d := range dirs {
		if err := linkSegments(filepath.Join(c.partitions(), d.Name()), filepath.Join(half, d.Name())); err != nil {
			return err
		}
	}
	if len(dirs) == 0 {
		return nil
	}
	return os.Rename(half, c.kept())
}

// end forgets what was kept.
func (c cleaning) end() error {
	over := c.kept() + ".over"
	if err := os.RemoveAll(over); err != nil {
		return err
	}
	if err := os.Rename(c.kept(), over); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(over)
}

// mend puts back what a cleaner that was killed has not written again, and
// returns the names of these partitions. The cleaner goes from the first record
// to the last, which it always keeps: a partition that has its last record has
// all.
func (c cleaning) mend() (mended []string, err error) {
	dirs, err := os.ReadDir(c.kept())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, d := range dirs {
		was, now := filepath.Join(c.kept(), d.Name()), filepath.Join(c.partitions(), d.Name())
		if _, err := os.Stat(now); errors.Is(err, fs.ErrNotExist) {
			continue // the topic has been deleted
		}
		before, err := lastOffset(was)
		if err != nil {
			return nil, err
		}
		if after, err := lastOffset(now); err != nil {
			return nil, err
		} else if after >= before {
			continue
		}
		if err := removeSegments(now); err != nil {
			return nil, err
		}
		if err := linkSegments(was, now); err != nil {
			return nil, err
		}
		mended = append(mended, d.Name())
	}
	return mended, c.end()
}

// segments are the files of a partition that hold its records.
func segments(dir string) ([]string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		if ext := filepath.Ext(f.Name()); ext == ".dat" || ext == ".idx" {
			names = append(names, f.Name())
		}
	}
	return names, nil
}

func linkSegments(from, to string) error {
	names, err := segments(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Link(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return nil
}

func removeSegments(dir string) error {
	names, err := segments(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// lastOffset is that of the last record of a partition, -1 where there is none.
func lastOffset(dir string) (int64, error) {
	names, err := segments(dir)
	if err != nil {
		return 0, err
	}
	last := int64(-1)
	for _, name := range names {
		base, isRecords := strings.CutSuffix(name, ".dat")
		if !isRecords {
			continue
		}
		if _, err := strconv.ParseInt(base, 10, 64); err != nil {
			return 0, fmt.Errorf("%s is no file of the broker's", filepath.Join(dir, name))
		}
		offset, err := lastOffsetIn(filepath.Join(dir, name))
		if err != nil {
			return 0, err
		}
		last = max(last, offset)
	}
	return last, nil
}

// A record batch has its first offset at 0, the length of what follows at 8,
// and at 23 how far its last offset is from the first.
const batchHead = 27

// lastOffsetIn is that of the last whole batch of a file.
func lastOffsetIn(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	last, at := int64(-1), int64(0)
	var head [batchHead]byte
	for at+batchHead <= info.Size() {
		if _, err := f.ReadAt(head[:], at); err != nil {
			return 0, err
		}
		next := at + 12 + int64(binary.BigEndian.Uint32(head[8:]))
		if next > info.Size() {
			break
		}
		last = int64(binary.BigEndian.Uint64(head[:])) + int64(binary.BigEndian.Uint32(head[23:])) //nolint:gosec // offsets are not negative
		at = next
	}
	return last, nil
}
