package sessions_test

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"hark/db"
	"hark/db/dbtest"
	"hark/im"
	"hark/sessions"
)

// A database that an earlier hark left behind: an owned session with a log, a cursor, a key, a message that is still to
// be sent, and the state from which its network connection resumes.
var leftBehind = []string{
	`INSERT INTO node (name, addr, inc, lease_until, prior_end) VALUES ('a', 'harks://a:7778', 3, 0, 0)`,
	`INSERT INTO session (usr, id, begun, since, node, inc, epoch, last_seq, kept, bytes, oldest)
		VALUES ('4711001', 's1', 5, 1700000000000, 'a', 3, 7, 2, 2, 100, 1700000000000)`,
	`INSERT INTO message (usr, seq, outgoing, origin, id, sender, recipient, name, body, attachments, reply_to, sent, state, stored, size)
		VALUES ('4711001', 1, FALSE, 'o1', 'i1', 'xmpp:ben@example.org', 'xmpp:ana@example.org', 'Ben', 'hello', '', '', 1700000000000000, '', 1700000000000, 50),
			('4711001', 2, TRUE, '', 'out1', 'xmpp:ana@example.org', 'xmpp:ben@example.org', '', 'hello, Ben', '', '', 1700000000000000, 'queued', 1700000000000, 50)`,
	`INSERT INTO cursor (usr, client, seq) VALUES ('4711001', 'phone', 1)`,
	`INSERT INTO session_key (hash, usr, id, kind, client, caller, number, idle, used, ends)
		VALUES ('h', '4711001', 's1', 'token', 'web', '', 1, 9000000000000, 1700000000000, 9000000000000)`,
	`INSERT INTO resume (usr, network, state) VALUES ('4711001', 'xmpp', 'from here')`,
}

// TestUpgrade opens what each earlier schema left behind, on both engines: the session goes on with all it had (F17).
func TestUpgrade(t *testing.T) {
	engines := map[string]func(t *testing.T) func(*testing.T) string{
		"sqlite": func(*testing.T) func(*testing.T) string {
			return func(t *testing.T) string { return path.Join(t.TempDir(), "hark.db") }
		},
		"postgres": func(t *testing.T) func(*testing.T) string {
			server := dbtest.Postgres(t)
			return func(t *testing.T) string { return server.Fresh(t) }
		},
	}
	steps := db.Schema()
	names, err := fs.Glob(steps, "*.sql")
	if err != nil || len(names) < 2 {
		t.Fatalf("%q, %v", names, err)
	}
	slices.Sort(names)
	for engine, begin := range engines {
		t.Run(engine, func(t *testing.T) {
			fresh := begin(t)
			for n := 1; n < len(names); n++ {
				earlier := fstest.MapFS{}
				for _, name := range names[:n] {
					text, err := fs.ReadFile(steps, name)
					if err != nil {
						t.Fatal(err)
					}
					earlier[name] = &fstest.MapFile{Data: text}
				}
				t.Run(names[n-1], func(t *testing.T) { upgrade(t, fresh(t), earlier) })
			}
		})
	}
}

func upgrade(t *testing.T, source string, earlier fs.FS) {
	before, err := db.Open(t.Context(), db.Options{Source: source, Schema: earlier})
	if err != nil {
		t.Fatal(err)
	}
	err = before.Write(t.Context(), func(tx *db.Tx) error {
		for _, statement := range leftBehind {
			if _, err := tx.Exec(statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, before.Close()); err != nil {
		t.Fatal(err)
	}
	database, err := db.Open(t.Context(), db.Options{Source: source})
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	store := sessions.Open(database, nil)
	defer store.Close()
	goesOn(t, store)
}

// goesOn claims the session that was left behind and looks at everything in it.
func goesOn(t *testing.T, store sessions.Store) {
	const ana = "4711001"
	ctx := t.Context()
	inc, err := store.StartNode(ctx, "a", "harks://a:7778", time.Minute)
	if err != nil || inc != 4 {
		t.Fatalf("incarnation %d, %v", inc, err)
	}
	grant, err := store.Claim(ctx, ana, "another", "a", inc)
	if err != nil || grant != (sessions.Grant{Epoch: 8, Session: "s1", Resumed: true}) {
		t.Fatalf("%+v, %v", grant, err)
	}
	log, err := store.Read(ctx, ana, sessions.Query{})
	if err != nil || len(log) != 2 || log[0].Body != "hello" || log[0].From.ID != "ben@example.org" {
		t.Errorf("%+v, %v", log, err)
	}
	pending, err := store.Pending(ctx, ana)
	if err != nil || len(pending) != 1 || pending[0].ID != "out1" {
		t.Errorf("%+v, %v", pending, err)
	}
	if at, err := store.Cursor(ctx, ana, "phone"); err != nil || at != 1 {
		t.Errorf("cursor %d, %v", at, err)
	}
	if resume, err := store.ResumeState(ctx, ana, "xmpp"); err != nil || string(resume) != "from here" {
		t.Errorf("%q, %v", resume, err)
	}
	if r, _, err := store.UseKey(ctx, "h"); err != nil || r.User != ana {
		t.Errorf("%+v, %v", r, err)
	}
	seqs, err := store.Append(ctx, ana, grant.Epoch, sessions.Batch{Messages: []im.Message{{Origin: "o2", Body: "again"}}, Network: "xmpp", Resume: im.Resume("from there")})
	if err != nil || len(seqs) != 1 || seqs[0] != 3 {
		t.Errorf("%v, %v", seqs, err)
	}
}
