package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// writeFile writes a file whole or not at all: what write produces stands
// under path only when it is complete and on the disk. "-" is stdout; what is
// no regular file, such as a pipe, is written to as it is.
func writeFile(path string, stdout io.Writer, write func(io.Writer) error) error {
	return writeFileFor(0o644, path, stdout, write)
}

// writePrivateFile is writeFile for what no other user of the machine may read.
func writePrivateFile(path string, stdout io.Writer, write func(io.Writer) error) error {
	return writeFileFor(0o600, path, stdout, write)
}

func writeFileFor(mode fs.FileMode, path string, stdout io.Writer, write func(io.Writer) error) error {
	if path == "-" {
		return buffered(stdout, write)
	}
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		target, err = path, nil
	}
	if err != nil {
		return err
	}
	if info, err := os.Stat(target); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(buffered(f, write), f.Close())
	}
	return replaceFile(mode, target, write)
}

func replaceFile(mode fs.FileMode, path string, write func(io.Writer) error) (err error) {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), ignoreClosed(f.Close()), os.Remove(f.Name()))
		}
	}()
	if err := buffered(f, write); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil { // temporary files are private
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

func buffered(w io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(w, 64<<10)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

// syncFolder makes a rename durable, where folders can be synced.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrInvalid) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

func ignoreClosed(err error) error {
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}
