package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func writeString(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func TestAFileIsReplacedWholeOrNotAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	if err := writeFile(path, nil, writeString("one")); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("half way")
	err := writeFile(path, nil, func(w io.Writer) error { _ = writeString("tw")(w); return failed })
	if !errors.Is(err, failed) || readText(t, path) != "one" {
		t.Errorf("error %v, content %q", err, readText(t, path))
	}
	if err := writeFile(path, nil, writeString("two")); err != nil || readText(t, path) != "two" {
		t.Errorf("error %v, content %q", err, readText(t, path))
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestALinkStaysALink(t *testing.T) {
	dir := t.TempDir()
	link, target := filepath.Join(dir, "link"), filepath.Join(dir, "target")
	if err := os.WriteFile(target, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if err := writeFile(link, nil, writeString("two")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 || readText(t, target) != "two" {
		t.Errorf("mode %v, %v, target %q", info.Mode(), err, readText(t, target))
	}
}

func TestADeviceIsWrittenToAndStays(t *testing.T) {
	before, err := os.Stat(os.DevNull)
	if err != nil {
		t.Skipf("no device to write to on this machine: %v", err)
	}
	if err := writeFile(os.DevNull, nil, writeString("gone")); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(os.DevNull)
	if err != nil || after.Mode() != before.Mode() {
		t.Errorf("%s was replaced: %v, %v", os.DevNull, after, err)
	}
}
