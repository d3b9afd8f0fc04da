package stasis

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"hark/internal/wav"
	"hark/ivr"
)

const (
	// fetchTime bounds fetching a recording, also when Asterisk must first come back.
	fetchTime = 15 * time.Second
	// bytesPerSecond of a recording: 8 kHz, 16 bit; slack allows for a switch that records at twice the rate.
	bytesPerSecond = 2 * 16000
)

// fetch brings the file of a finished recording here, whatever has become of the call, and deletes it at Asterisk. cause
// is why the call ended; it comes back together with what there is.
func (t *take) fetch(ctx context.Context, got ivr.Recorded, cause error) (ivr.Recorded, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime)
	defer cancel()
	file, length, err := t.download(ctx)
	switch {
	case err == nil:
		got.File, got.Duration = file, length
		if wav.BrokeOff(file) {
			t.app.log.Error("a recording broke off: is the disk of Asterisk's spool full?", "call", t.id, "recorded", length)
			got.Why = ivr.LineFail
		}
	case status(err) == http.StatusNotFound && cause != nil: // it ended before it began
	default:
		t.app.log.Error("a recording is lost", "call", t.id, "recording", t.name, "err", err)
		if cause == nil {
			got.Why, cause = ivr.LineFail, fmt.Errorf("%w: %w", ivr.ErrLine, err)
		}
	}
	return got, cause
}

// download fetches the file into a new one, mends its header, and measures it. The file at Asterisk is deleted once it
// is here; that it is not is logged.
func (t *take) download(ctx context.Context) (path string, length time.Duration, err error) {
	f, err := os.CreateTemp(t.app.TempDir, "hark-*.wav")
	if err != nil {
		return "", 0, err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if err := t.copyTo(ctx, f); err != nil {
		return "", 0, err
	}
	if length, err = mendWAV(f); err != nil {
		return "", 0, err
	}
	if err := t.app.rest.deleteStored(ctx, t.name); err != nil {
		t.app.log.Warn("cannot delete a recording at Asterisk", "call", t.id, "recording", t.name, "err", err)
	}
	return f.Name(), length, f.Close()
}

// copyTo fetches the file, trying again while Asterisk does not answer.
func (t *take) copyTo(ctx context.Context, f *os.File) error {
	limit := int64((t.Max+overrun)/time.Second+1)*bytesPerSecond + 4096
	for {
		err := t.app.rest.storedFile(ctx, t.name, f, limit)
		if err == nil || status(err) != 0 || !sleep(ctx, 100*time.Millisecond) {
			return err
		}
		if err := rewind(f); err != nil {
			return err
		}
	}
}

func rewind(f *os.File) error {
	if _, err := f.Seek(0, 0); err != nil {
		return err
	}
	return f.Truncate(0)
}
