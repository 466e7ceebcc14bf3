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

// writeWhole makes a file of a name once all of it is on the disk; until then it is called FILE.….partial, and after an
// error it is gone. What else writes to the same name at the same time has a file of its own. What has the name and is
// no file (a pipe, a device) is written to: nothing may take its place.
func writeWhole(name string, mode fs.FileMode, write func(io.Writer) error) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return fill(name, file, write)
	}
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.partial") // 0600
	if err != nil {
		return err
	}
	err = fill(name, file, func(w io.Writer) error { return errors.Join(write(w), file.Chmod(mode)) })
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncFolder(filepath.Dir(name))
}

// fill writes all of a file, down to the disk where it has one, and closes it.
func fill(name string, file *os.File, write func(io.Writer) error) error {
	buffered := bufio.NewWriter(file)
	err := errors.Join(write(buffered), buffered.Flush())
	if info, failed := file.Stat(); failed == nil && info.Mode().IsRegular() {
		err = errors.Join(err, file.Sync())
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// syncFolder makes a name last.
func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
