package stream

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// What the cleaner has come to when a kill ends it: it has kept the files,
// removed them, and written some of what is left.
func TestAKillWhileCleaningLosesNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		// kill makes of a partition's files, and of what the cleaner makes of
		// them, what is found after the kill.
		kill func(t *testing.T, partition string, cleaned []byte)
		want string // the values that are found of the keys a and b
	}{
		{"before the first file is gone", func(*testing.T, string, []byte) {}, "a9 b9"},
		{"when all are gone", func(t *testing.T, partition string, _ []byte) { empty(t, partition) }, "a9 b9"},
		{"when half is written", func(t *testing.T, partition string, cleaned []byte) {
			empty(t, partition)
			write(t, filepath.Join(partition, "0.dat"), cleaned[:len(cleaned)/2])
		}, "a9 b9"},
		{"when all is written", func(t *testing.T, partition string, cleaned []byte) {
			empty(t, partition)
			write(t, filepath.Join(partition, "0.dat"), cleaned)
		}, "a9 b9"},
		{"when the topic has been deleted", func(t *testing.T, partition string, _ []byte) {
			if err := os.RemoveAll(partition); err != nil {
				t.Fatal(err)
			}
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			cleaned := fill(t, dir)
			if err := (cleaning{dir}).begin(); err != nil {
				t.Fatal(err)
			}
			partition := filepath.Join(cleaning{dir}.partitions(), "t-0")
			c.kill(t, partition, cleaned)
			if got := values(t, dir); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
			if _, err := os.Stat(cleaning{dir}.kept()); !os.IsNotExist(err) {
				t.Errorf("what was kept is still there: %v", err)
			}
			// What is written from then on stays.
			b := startBroker(t, EmbeddedOptions{Dir: dir})
			if err := NewProducer(newClient(t, b.Addr())).Produce(testContext(t), "t", []Record{{Key: []byte("a"), Value: []byte("a10")}, {Key: []byte("b"), Value: []byte("b10")}}); err != nil {
				t.Fatal(err)
			}
			b.Clean()
			b.Close()
			if got := values(t, dir); got != "a10 b10" {
				t.Errorf("found %q in the end", got)
			}
		})
	}
}

// fill leaves ten values of two keys in a folder, each in a batch of its own,
// and returns what the cleaner would make of their file.
func fill(t *testing.T, dir string) (cleaned []byte) {
	t.Helper()
	b := startBroker(t, EmbeddedOptions{Dir: dir})
	c := newClient(t, b.Addr())
	makeTopic(t, c, Topic{Name: "t", Partitions: 1, Compacted: true})
	for i := range 10 {
		for _, key := range []string{"a", "b"} {
			if err := NewProducer(c).Produce(testContext(t), "t", []Record{{Key: []byte(key), Value: fmt.Appendf(nil, "%s%d", key, i)}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.Close()
	// The last two of twenty batches of one size; the file of an earlier
	// kfake's index is not needed to read them.
	whole, err := os.ReadFile(filepath.Join(cleaning{dir}.partitions(), "t-0", "0.dat"))
	if err != nil {
		t.Fatal(err)
	}
	return whole[len(whole)-len(whole)/10:]
}

// values starts the broker and reads what is there of a and b.
func values(t *testing.T, dir string) string {
	t.Helper()
	b := startBroker(t, EmbeddedOptions{Dir: dir})
	defer b.Close()
	last := map[string]string{}
	if _, err := ReadAll(testContext(t), newClient(t, b.Addr()), "t", 0, func(r Record) error {
		last[string(r.Key)] = string(r.Value)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(last) == 0 {
		return ""
	}
	return last["a"] + " " + last["b"]
}

func empty(t *testing.T, partition string) {
	t.Helper()
	if err := removeSegments(partition); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
