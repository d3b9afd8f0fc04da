package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"hark/accounts"
	"hark/audio"
	"hark/im"
	"hark/sessions"
)

func (p *program) accountExport() *cobra.Command {
	return &cobra.Command{
		Use:   "export NUMBER FILE.zip",
		Short: "Write everything that is kept of a user into a file, to be handed over",
		Long: `Write everything that is kept of a user into a ZIP file, to be handed over: account.json (name, language, logins at networks,
telephones, settings, drafts), messages.json, recordings.json, and the recordings as WAV files. Passwords, the PIN and session
numbers are not in it. The file must not be there yet; only its owner can read it. A running server is not disturbed.`,
		Example: `  hark account export 2740915 ana.zip`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error { return p.exportAccount(cmd.Context(), s, args[0], args[1]) })
		},
	}
}

// exportAccount leaves a whole file or none.
func (p *program) exportAccount(ctx context.Context, s stores, number, path string) (err error) {
	o, err := s.ownerOf(ctx, number)
	if err != nil {
		return nobody(number, err)
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already: name a file that is not", path)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".hark-export-*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	messages, recordings, err := s.export(ctx, file, o)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "Wrote %s of %s; messages: %d, recordings: %d.\n", path, number, messages, recordings)
	return nil
}

// An owner is what account.json holds.
type owner struct {
	Number    string                     `json:"number"`
	Name      string                     `json:"name"`
	Language  string                     `json:"language"`
	Networks  []ownLogin                 `json:"networks"`
	Telephone *accounts.Phone            `json:"telephone,omitempty"`
	Callers   []string                   `json:"callers"`
	Kept      map[string]json.RawMessage `json:"kept"` // contacts, status, place, drafts, settings
}

// An ownLogin is a login at a network, without its password.
type ownLogin struct {
	Address im.Address `json:"address"`
	Server  string     `json:"server,omitempty"`
}

// ownerOf reads what account.json is to hold.
func (s stores) ownerOf(ctx context.Context, number string) (o owner, err error) {
	u, err := s.accounts.Get(ctx, number)
	if err != nil {
		return o, err
	}
	o = owner{Number: u.Number, Name: u.Name, Language: u.Language, Networks: []ownLogin{}, Kept: map[string]json.RawMessage{}}
	logins, err := s.accounts.Logins(ctx, number)
	if err != nil {
		return o, err
	}
	for _, l := range logins {
		o.Networks = append(o.Networks, ownLogin{l.Address(), l.Server})
	}
	phone, err := s.accounts.Phone(ctx, number)
	if err == nil {
		o.Telephone = &phone
	} else if !errors.Is(err, accounts.ErrNotFound) {
		return o, err
	}
	callers, err := s.accounts.Callers(ctx, number)
	if err != nil {
		return o, err
	}
	o.Callers = append([]string{}, callers...)
	states, err := s.sessions.States(ctx, number)
	for key, value := range states {
		if json.Valid(value) {
			o.Kept[key] = value
		}
	}
	return o, err
}

// export writes the ZIP file, and tells how many messages and recordings are in it.
func (s stores) export(ctx context.Context, to io.Writer, o owner) (messages, recordings int, err error) {
	archive := zip.NewWriter(to)
	if err := writeEntry(archive, "account.json", o); err != nil {
		return 0, 0, err
	}
	log, err := s.allMessages(ctx, o.Number)
	if err != nil {
		return 0, 0, err
	}
	if err := writeEntry(archive, "messages.json", log); err != nil {
		return 0, 0, err
	}
	if recordings, err = s.exportRecordings(ctx, archive, o.Number); err != nil {
		return 0, 0, err
	}
	return len(log), recordings, archive.Close()
}

// allMessages reads the user's log.
func (s stores) allMessages(ctx context.Context, number string) ([]sessions.Message, error) {
	all := []sessions.Message{}
	for after := sessions.Seq(0); ; after = all[len(all)-1].Seq {
		more, err := s.sessions.Read(ctx, number, sessions.Query{After: after})
		if all = append(all, more...); err != nil || len(more) == 0 {
			return all, err
		}
	}
}

// exportRecordings writes the recordings and what is known of them, and tells how many there are.
func (s stores) exportRecordings(ctx context.Context, archive *zip.Writer, number string) (int, error) {
	if err := s.config.anyRecordings(); errors.Is(err, os.ErrNotExist) {
		return 0, writeEntry(archive, "recordings.json", []audio.Recording{})
	}
	store, err := openAudioBeside(ctx, s.config)
	if err != nil {
		return 0, err
	}
	defer store.Close()
	list, err := store.List(ctx, number)
	if err != nil {
		return 0, err
	}
	for _, rec := range list {
		entry, err := createEntry(archive, "recordings/"+rec.ID+".wav", rec.Created)
		if err != nil {
			return 0, err
		}
		if err := store.CopyTo(ctx, entry, rec); err != nil {
			return 0, err
		}
	}
	return len(list), writeEntry(archive, "recordings.json", append([]audio.Recording{}, list...))
}

// createEntry begins a file that was made at a time.
func createEntry(archive *zip.Writer, name string, made time.Time) (io.Writer, error) {
	return archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: made})
}

// writeEntry writes one file of JSON.
func writeEntry(archive *zip.Writer, name string, value any) error {
	entry, err := createEntry(archive, name, time.Now())
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(entry)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
