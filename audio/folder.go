package audio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// Folder is a Backend on a local file system. Every access goes through os.Root: whatever the key, nothing outside the
// directory is reached. Files have mode 0640 and directories 0750, so that an Asterisk in Hark's group can play them.
type Folder struct {
	root *os.Root
	dir  string
}

// OpenFolder opens dir, making it if it is not there.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("audio: %w", err)
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("audio: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("audio: %w", err)
	}
	return &Folder{root, dir}, nil
}

// partMark is in the name of a file that is being written. What a killed process leaves of one, Store.GC removes.
const partMark = ".part-"

// Put implements Backend: a file beside it is written and synced, renamed, and the directory synced.
func (f *Folder) Put(ctx context.Context, key string, data []byte) error {
	if !ValidKey(key) {
		return fmt.Errorf("audio: the key %q is not allowed", key)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := f.put(key, data)
	for try := 0; try < 100 && errors.Is(err, fs.ErrNotExist); try++ {
		err = f.put(key, data) // Delete took the directory, empty at that moment
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}

func (f *Folder) put(key string, data []byte) error {
	if err := f.makeDir(path.Dir(key)); err != nil {
		return err
	}
	part := key + partMark + strings.ToLower(rand.Text()[:10])
	if err := f.write(part, data); err != nil {
		_ = f.root.Remove(part)
		return err
	}
	if err := f.root.Rename(part, key); err != nil {
		_ = f.root.Remove(part)
		return err
	}
	return f.syncDir(path.Dir(key))
}

func (f *Folder) write(name string, data []byte) error {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil && len(data) > 0 {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// makeDir makes dir durably. Most of the time it is there.
func (f *Folder) makeDir(dir string) error {
	if _, err := f.root.Stat(dir); err == nil {
		return nil
	}
	if err := f.root.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for ; dir != "."; dir = path.Dir(dir) {
		if err := f.syncDir(path.Dir(dir)); err != nil {
			return err
		}
	}
	return nil
}

func (f *Folder) syncDir(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

type folderObject struct {
	*os.File
	info Info
}

func (o folderObject) Info() Info { return o.info }

// Open implements Backend.
func (f *Folder) Open(ctx context.Context, key string) (Object, error) {
	if !ValidKey(key) {
		return nil, ErrNotFound
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := f.root.Open(key)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	st, err := file.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return nil, errors.Join(ErrNotFound, err, file.Close())
	}
	return folderObject{file, Info{key, st.Size(), st.ModTime()}}, nil
}

// List implements Backend.
func (f *Folder) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		stop := errors.New("stop")
		start := path.Dir(prefix + "x") // the directory that all keys with the prefix are in or below
		err := fs.WalkDir(f.root.FS(), start, func(key string, d fs.DirEntry, err error) error {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil && d.IsDir() && !below(key, prefix) {
				return fs.SkipDir
			}
			if err != nil || d.IsDir() || !strings.HasPrefix(key, prefix) {
				return gone(err)
			}
			st, err := d.Info()
			if err != nil {
				return gone(err)
			}
			if !yield(Info{key, st.Size(), st.ModTime()}, nil) {
				return stop
			}
			return nil
		})
		if err != nil && !errors.Is(err, stop) {
			yield(Info{}, err)
		}
	}
}

// below tells whether keys in directory dir can begin with prefix.
func below(dir, prefix string) bool {
	return dir == "." || strings.HasPrefix(dir+"/", prefix) || strings.HasPrefix(prefix, dir+"/")
}

// gone forgives what was deleted while we were listing.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Delete implements Backend. It is durable, and removes directories that became empty.
func (f *Folder) Delete(ctx context.Context, keys ...string) error {
	var errs []error
	dirs := map[string]bool{}
	for _, key := range keys {
		if !ValidKey(key) {
			continue // no object has such a key
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		err := f.root.Remove(key)
		if err == nil {
			dirs[path.Dir(key)] = true
		} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			errs = append(errs, err)
		}
	}
	for dir := range dirs {
		errs = append(errs, f.leaveDir(dir))
	}
	return errors.Join(errs...)
}

// leaveDir syncs a directory from which something was removed, or removes it when that was the last.
func (f *Folder) leaveDir(dir string) error {
	if dir != "." && f.root.Remove(dir) == nil {
		dir = path.Dir(dir)
	}
	return gone(f.syncDir(dir))
}

// Space implements Spacer: what the file system gives to an ordinary user.
func (f *Folder) Space() (free, total int64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(f.dir, &st); err != nil {
		return 0, 0, fmt.Errorf("audio: %w", err)
	}
	return int64(st.Bavail) * st.Bsize, int64(st.Blocks) * st.Bsize, nil
}

// Path implements Pather.
func (f *Folder) Path(key string) (string, error) {
	if !ValidKey(key) {
		return "", ErrNotFound
	}
	return filepath.Join(f.dir, filepath.FromSlash(key)), nil
}

// Close implements Backend.
func (f *Folder) Close() error { return f.root.Close() }
