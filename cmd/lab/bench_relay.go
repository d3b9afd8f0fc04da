package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"hark/im"
	"hark/internal/testbed"
	"hark/internal/xmpppeer"
	"hark/presence"
	"hark/presence/wire"
)

const (
	relayed  = 300 // messages
	relayAim = time.Millisecond
	// relayWarm are sent before: while a new database's log is growing, each commit also costs the file system a note of
	// its size. A server that has been running for some hours writes over what is there.
	relayWarm = 2000
	// commitBytes is about what SQLite writes for one message: five pages of its log.
	commitBytes = 5 * 4096
	// Who writes to whom at Prosody.
	relayWriter, relayReader = "writer", "reader"
)

// measureRelay has one XMPP client write to another and to a user of Hark, and compares how long each message is on its
// way: through Prosody alone, to a plain client and to one with stream management (XEP-0198) as a login of Hark's has it,
// for which Prosody does more; on to EXISTS at a client of Hark, which can read it then; and until that client has its
// text, which Hark gives out when it is on the disk.
func measureRelay(ctx context.Context, l *lab) (_ []figure, err error) {
	logins := map[string]string{}
	for _, name := range []string{relayWriter, relayReader, xmppName(0)} {
		logins[name] = "password of " + name
	}
	s, err := l.startWith(ctx, setup{prosody: &testbed.ProsodyOptions{Users: logins, LogLevel: "info"}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	users, err := s.addUsers(ctx, 1, func(i int) im.Account {
		return im.Account{Network: im.XMPP, ID: xmppName(i) + "@" + s.prosody.Domain, Password: logins[xmppName(i)], Server: s.prosody.Addr}
	})
	if err != nil {
		return nil, err
	}
	if err := s.startHark(ctx); err != nil {
		return nil, err
	}
	return s.relayFigures(ctx, l, users[0])
}

func (s *system) relayFigures(ctx context.Context, l *lab, to user) (_ []figure, err error) {
	login := func(name string) (*xmpppeer.Peer, error) {
		return xmpppeer.Login(ctx, s.prosody.Addr, name+"@"+s.prosody.Domain, "password of "+name)
	}
	writer, err := login(relayWriter)
	if err != nil {
		return nil, err
	}
	defer writer.Close()
	reader, err := login(relayReader)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	client, _, err := (&presence.Dialer{Home: "hark://" + s.presence}).Login(ctx, wire.LoginRequest{User: to.Number, PIN: to.PIN, Client: "web", Caller: to.callerID()})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	hark := xmppName(0) + "@" + s.prosody.Domain
	l.tell("relay: sending %d messages to warm up", relayWarm)
	if _, err := timeEach(ctx, writer, hark, relayWarm, func(n int) bool { return awaitWaiting(client, n) }); err != nil {
		return nil, err
	}
	received := func(int) bool { _, open := <-reader.Messages(); return open }
	plain, err := timeEach(ctx, writer, reader.JID(), relayed, received)
	if err != nil {
		return nil, err
	}
	if err := reader.Manage(ctx); err != nil {
		return nil, err
	}
	managed, err := timeEach(ctx, writer, reader.JID(), relayed, received)
	if err != nil {
		return nil, err
	}
	through, err := timeEach(ctx, writer, hark, relayed, func(n int) bool { return awaitWaiting(client, relayWarm+n) })
	if err != nil {
		return nil, err
	}
	// All is acknowledged, as a reader does it: that thousands wait is not usual, and counting them takes FETCH a while.
	if err := client.Ack(ctx, relayWarm+relayed); err != nil {
		return nil, err
	}
	text, err := timeEach(ctx, writer, hark, relayed, func(n int) bool { return awaitText(ctx, client, n, relayWarm+relayed) })
	if err != nil {
		return nil, err
	}
	synced, err := timeSyncs(s.dir, relayed)
	if err != nil {
		return nil, err
	}
	p50, above := percentile(through, 50), percentile(through, 50)-percentile(managed, 50)
	return []figure{
		measured("relay: a message through Prosody to a plain client", "%s", spread(plain)),
		measured("relay: and to one with stream management", "%s", spread(managed)),
		measured("relay: and through Hark's log to EXISTS", "%s; %s ms above the one with stream management, %s ms above the plain one",
			spread(through), ms(above), ms(p50-percentile(plain, 50))).against("p50 ≤ 1 ms above", above <= relayAim),
		measured("relay: and until that client has fetched its text, which is on the disk then", "%s", spread(text)),
		measured("relay: the disk alone, for writing so much over and syncing it", "%s", spread(synced)),
	}, nil
}

// spread is the middle and the end of what something took.
func spread(took []time.Duration) string {
	return fmt.Sprintf("p50 %s, p99 %s ms (of %d)", ms(percentile(took, 50)), ms(percentile(took, 99)), len(took))
}

// timeSyncs writes over what is in a file, commitBytes at a time, and times how long each takes to reach the disk.
func timeSyncs(dir string, count int) (took []time.Duration, err error) {
	file, err := os.CreateTemp(dir, "sync")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	write := func() error {
		for n := range count {
			begun := time.Now()
			if _, err := file.WriteAt(make([]byte, commitBytes), int64(n*commitBytes)); err != nil {
				return err
			}
			if err := syscall.Fdatasync(int(file.Fd())); err != nil {
				return err
			}
			took = append(took, time.Since(begun))
		}
		return nil
	}
	if err := write(); err != nil { // lays the file out
		return nil, err
	}
	took = nil
	err = write()
	return took, err
}

// timeEach sends so many messages one by one; arrived waits for the one with a number, from 1.
func timeEach(ctx context.Context, writer *xmpppeer.Peer, to string, count int, arrived func(n int) bool) (took []time.Duration, err error) {
	for n := 1; n <= count; n++ {
		begun := time.Now()
		if err := writer.Say(ctx, to, "", "how long does it take?"); err != nil {
			return nil, err
		}
		if !arrived(n) {
			return nil, errors.New("the connection ended before the message came")
		}
		took = append(took, time.Since(begun))
	}
	return took, nil
}

// awaitWaiting waits until a client is told that so many messages wait.
func awaitWaiting(client *presence.Client, n int) bool {
	for e := range client.Events() {
		if level, ok := e.Body.(wire.ExistsEvent); ok && level.Waiting >= n {
			return true
		}
	}
	return false
}

// awaitText waits until so many messages wait behind one number of the log, and fetches the last of them.
func awaitText(ctx context.Context, client *presence.Client, n int, behind int64) bool {
	if !awaitWaiting(client, n) {
		return false
	}
	reply, err := client.Fetch(ctx, wire.FetchRequest{After: behind + int64(n) - 1, Max: 1})
	return err == nil && len(reply.Messages) == 1
}
