package audio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

var (
	// ErrNotOurs: the URL is not a link of this store.
	ErrNotOurs = errors.New("audio: not a link of ours")
	// ErrGone: the link was ours and has expired, was revoked, or its recording was deleted.
	ErrGone = errors.New("audio: the recording is gone")
	// ErrQuota: the owner has as many recordings, or as many bytes of them, as he may.
	ErrQuota = errors.New("audio: the owner's quota is used up")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("audio: the store is closed")
)

// Config says where recordings are kept and within which bounds. Zero values give the defaults.
type Config struct {
	// Dir is the directory of a Folder; not used when Backend is set.
	Dir string
	// Backend keeps the objects; the Store closes it. nil is a Folder in Dir.
	Backend Backend
	// Keys is the path of the file with the keys that sign links. It must not be in Dir. It is made at the first start.
	Keys string
	// FirstKey, of 32 bytes or more, is the key that the file is made with; nil is a random one. Stores on several
	// machines that are given the same one accept each other's links.
	FirstKey []byte
	// URL is what links begin with, ending in a slash: "https://im.example.org/a/".
	URL string
	// Cache is a directory for copies that Asterisk plays when the recording itself is not an 8 kHz file on this
	// machine. "" is hark-audio in the system's cache or temporary directory.
	Cache string

	Retention   time.Duration // how long recordings are kept; 0 is 30 days
	MaxDuration time.Duration // longest recording; 0 is 180 s
	MaxCount    int           // recordings of one owner; 0 is 100
	MaxBytes    int64         // bytes of one owner's masters; 0 is 50 MiB
	// Floor is how many bytes must stay free, else Put refuses; 0 is 1 GiB or 5 % of the disk, whichever is less.
	// Drafts may use what is under the floor: they are what it is kept for.
	Floor int64
	// Workers is how many encoders run at once; 0 is one for each CPU.
	Workers int
	// GCEvery is how often what has expired is removed, besides at the start; 0 is every 20 minutes, less than 0 never.
	GCEvery time.Duration

	Now func() time.Time // nil is time.Now
	Log *slog.Logger     // nil logs nothing
}

func (c *Config) setDefaults() {
	setDefault(&c.Retention, 30*24*time.Hour)
	setDefault(&c.MaxDuration, 180*time.Second)
	setDefault(&c.MaxCount, 100)
	setDefault(&c.MaxBytes, 50<<20)
	setDefault(&c.Workers, runtime.NumCPU())
	setDefault(&c.GCEvery, 20*time.Minute)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// A Store keeps recordings. All methods may be called from any goroutine; several stores, in several processes, may use
// the same backend.
type Store struct {
	cfg     Config
	backend Backend
	keys    *keyring
	base    *url.URL
	cache   *Folder

	files    buffers[byte]
	sounds   buffers[int16]
	encoders encoders
	streams  streams
	known    known
	locks    [64]sync.Mutex // by object key: what is deleted is not written again

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// Open opens a store. Encodings that a crash interrupted are taken up again in the background. Close must be called.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg.setDefaults()
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Scheme == "" || base.Host == "" || !strings.HasSuffix(base.Path, "/") {
		return nil, fmt.Errorf("audio: the URL %q must be absolute and end in a slash", cfg.URL)
	}
	if cfg.Backend == nil && inside(cfg.Dir, cfg.Keys) {
		return nil, fmt.Errorf("audio: the key file %s must not be among the recordings", cfg.Keys)
	}
	keys, err := loadKeys(cfg.Keys, cfg.FirstKey)
	if err != nil {
		return nil, err
	}
	cache, err := openCache(cfg.Cache)
	if err != nil {
		return nil, err
	}
	backend := cfg.Backend
	if backend == nil {
		if backend, err = OpenFolder(cfg.Dir); err != nil {
			return nil, errors.Join(err, cache.Close())
		}
	}
	s := &Store{
		cfg: cfg, backend: backend, keys: keys, base: base, cache: cache,
		files: make(buffers[byte], cfg.Workers), sounds: make(buffers[int16], cfg.Workers),
	}
	s.ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.encoders.init(cfg.Workers)
	s.wg.Go(s.background)
	return s, nil
}

// inside tells whether file is somewhere in dir.
func inside(dir, file string) bool {
	rel, err := filepath.Rel(dir, file)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

func openCache(dir string) (*Folder, error) {
	if dir == "" {
		parent, err := os.UserCacheDir()
		if err != nil {
			parent = os.TempDir()
		}
		dir = parent + "/hark-audio"
	}
	return OpenFolder(dir)
}

// background finishes what was interrupted, and cleans up now and from time to time.
func (s *Store) background() {
	s.resumeEncoding(s.ctx)
	if s.cfg.GCEvery < 0 {
		return
	}
	tick := time.NewTicker(s.cfg.GCEvery)
	defer tick.Stop()
	for {
		if _, err := s.GC(s.ctx); err != nil && s.ctx.Err() == nil {
			s.cfg.Log.Error("audio: cleaning up", "err", err)
		}
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Path is the path of the links, beginning and ending in a slash: where the Handler belongs in a mux.
func (s *Store) Path() string { return s.base.Path }

// Close stops the encoders, waits for them, and closes the backend. What is being encoded is taken up by the next Open,
// or by the first who asks for it.
func (s *Store) Close() error {
	s.stop()
	s.encoders.wait()
	s.wg.Wait()
	return errors.Join(s.cache.Close(), s.backend.Close())
}

// CanRecord tells beforehand whether the owner may make another recording. ErrNoSpace, ErrQuota.
func (s *Store) CanRecord(ctx context.Context, owner string) error {
	if err := s.checkFloor(); err != nil {
		return err
	}
	return s.checkQuota(ctx, owner, 0, "")
}

func (s *Store) checkFloor() error {
	b, ok := s.backend.(Spacer)
	if !ok {
		return nil
	}
	free, total, err := b.Space()
	if err != nil {
		return err
	}
	floor := s.cfg.Floor
	if floor == 0 {
		floor = min(1<<30, total/20)
	}
	if free < floor {
		return fmt.Errorf("%w: %d bytes are free, the floor is %d", ErrNoSpace, free, floor)
	}
	return nil
}

// checkQuota tells whether the owner may have more bytes, in one more recording. The one with the id without does not
// count: it is about to be dropped.
func (s *Store) checkQuota(ctx context.Context, owner string, more int64, without string) error {
	count, bytes := 0, more
	for info, err := range s.backend.List(ctx, ownerPrefix(owner)) {
		if err != nil {
			return err
		}
		if id, size, err := readMark(info.Key); err == nil && id != without {
			count++
			bytes += size
		}
	}
	if count >= s.cfg.MaxCount || bytes > s.cfg.MaxBytes {
		return fmt.Errorf("%w: %d recordings, %d bytes", ErrQuota, count, bytes)
	}
	return nil
}

// Put takes the WAV file (16-bit mono PCM, 8 to 48 kHz) that r gives, keeps it, and returns it with its link, which is
// valid at once. Errors: ErrFormat, ErrTooLong, ErrEmpty for what r gives; ErrNoSpace, ErrQuota; those of r and of the
// backend. After an error there is no link and, at the latest after the next GC, no file.
func (s *Store) Put(ctx context.Context, r io.Reader, m Meta) (Recording, error) {
	if err := s.checkFloor(); err != nil {
		return Recording{}, err
	}
	p, repaired, err := s.read(r, m.MaxDuration)
	if err != nil {
		return Recording{}, err
	}
	defer s.sounds.put(p.samples)
	m.Part = m.Part || repaired
	return s.putSound(ctx, p, m, "")
}

// putSound keeps what Put has read. without is the id of a draft that it replaces.
func (s *Store) putSound(ctx context.Context, p pcm, m Meta, without string) (Recording, error) {
	p = normalise(trim(cutKeyTone(p)))
	rec, token := s.describe(p, m)
	if err := s.checkQuota(ctx, m.Owner, rec.Bytes, without); err != nil {
		return Recording{}, err
	}
	if err := s.keep(ctx, rec, p); err != nil {
		return Recording{}, err
	}
	rec.URL = s.base.JoinPath(token).String()
	for _, f := range forms {
		s.startForm(rec, f)
	}
	return rec, nil
}

// PutFile is Put for a file on this machine.
func (s *Store) PutFile(ctx context.Context, path string, m Meta) (Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return Recording{}, fmt.Errorf("audio: %w", err)
	}
	defer f.Close()
	return s.Put(ctx, f, m)
}

// read takes in a WAV file and checks it. A switch may overrun its limit a little: two seconds are forgiven. The samples
// are to be given back to s.sounds.
func (s *Store) read(r io.Reader, limit time.Duration) (p pcm, repaired bool, err error) {
	if limit <= 0 || limit > s.cfg.MaxDuration {
		limit = s.cfg.MaxDuration
	}
	limit += 2 * time.Second
	most := int64(limit.Seconds()*2*maxRate) + 64<<10
	b := bytes.NewBuffer(s.files.get(int(min(sizeOf(r), most)) + bytes.MinRead)) // it need not be copied as it grows
	defer func() { s.files.put(b.Bytes()) }()
	if _, err := b.ReadFrom(io.LimitReader(r, most+1)); err != nil {
		return pcm{}, false, fmt.Errorf("audio: reading the recording: %w", err)
	}
	if int64(b.Len()) > most {
		return pcm{}, false, ErrTooLong
	}
	samples := s.sounds.get(b.Len() / 2)
	if p, repaired, err = decodeWAVInto(samples, b.Bytes()); err == nil && p.duration() > limit {
		err = fmt.Errorf("%w: %v, the limit is %v", ErrTooLong, p.duration(), limit)
	}
	if err != nil {
		s.sounds.put(samples)
	}
	return p, repaired, err
}

// sizeOf is how much r gives when it is a file, and 0 when nobody knows.
func sizeOf(r io.Reader) int64 {
	f, ok := r.(*os.File)
	if !ok {
		return 0
	}
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// describe makes the description of a new recording, and its token.
func (s *Store) describe(p pcm, m Meta) (Recording, string) {
	now := s.cfg.Now().UTC().Truncate(time.Second)
	life := m.Expires
	if life <= 0 || life > s.cfg.Retention {
		life = s.cfg.Retention
	}
	token, key := s.keys.mint(now)
	r := Recording{
		ID: keyToID(key), Owner: m.Owner, From: truncate(m.From, 200), To: truncate(m.To, 200), Title: truncate(m.Title, 200),
		Created: now, Expires: now.Add(life), Duration: p.duration(), Rate: p.rate,
		Type: MP3.Type(), Waveform: peaks(p.samples), Part: m.Part, MaxPlays: max(0, m.MaxPlays),
		Bytes: int64(p.wavSize()),
	}
	r.Size = mp3Size(len(p.samples), p.rate, r.tags())
	return r, token
}

// keep writes mark and master and, when both are durable and the master has been read back, the description. When it
// fails it removes what it wrote.
func (s *Store) keep(ctx context.Context, rec Recording, p pcm) error {
	description, err := rec.marshal()
	if err != nil {
		return err
	}
	key, master := rec.key(), appendWAV(s.files.get(p.wavSize()), p)
	defer s.files.put(master)
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error { return s.backend.Put(inner, rec.mark(), nil) })
	group.Go(func() error { return s.backend.Put(inner, key+".wav", master) })
	group.Go(func() error { return WAV.check(inner, p, master) })
	if err = group.Wait(); err == nil {
		err = s.readable(ctx, key+".wav", int64(len(master)))
	}
	if err == nil {
		err = s.backend.Put(ctx, key+".json", description)
	}
	if err != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return errors.Join(err, s.backend.Delete(undo, key+".json", key+".wav", rec.mark()))
	}
	return nil
}

func (s *Store) readable(ctx context.Context, key string, size int64) error {
	o, err := s.backend.Open(ctx, key)
	if err != nil {
		return err
	}
	defer o.Close()
	if o.Info().Size != size {
		return fmt.Errorf("audio: %s has %d bytes of %d", key, o.Info().Size, size)
	}
	return nil
}

// resolve finds the recording behind a token. ErrNotOurs when the token is not signed by us, ErrGone when it is and the
// recording has expired or is no more. The look-up is the same in each case.
func (s *Store) resolve(ctx context.Context, token string) (Recording, error) {
	key, signed, ok := s.keys.parse(token)
	if !ok {
		return Recording{}, ErrNotOurs
	}
	rec, err := s.look(ctx, key)
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return Recording{}, err
	case !signed:
		return Recording{}, ErrNotOurs
	case err != nil || rec.Draft || rec.expired(s.cfg.Now()):
		return Recording{}, ErrGone
	}
	return rec, nil
}

// token takes the token out of a link of ours, which may name a form and have a query. ok is false for other URLs.
func (s *Store) token(link string) (token string, ok bool) {
	u, err := url.Parse(link)
	if err != nil || !strings.EqualFold(u.Scheme, s.base.Scheme) || !strings.EqualFold(u.Host, s.base.Host) || u.User != nil {
		return "", false
	}
	name, found := strings.CutPrefix(u.Path, s.base.Path)
	token, form, dotted := strings.Cut(name, ".")
	return token, found && len(token) == tokenText && (!dotted || Form(form).known())
}
