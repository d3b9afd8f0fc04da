package presence

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"hark/accounts"
	"hark/presence/wire"
	"hark/sessions"
)

// login carries out LOGIN.
func (c *conn) login(ctx context.Context, req wire.LoginRequest) (result, error) {
	kind, err := clientKind(req.Client)
	if err != nil {
		return result{}, err
	}
	claims, err := c.prove(ctx, req, kind)
	if err != nil {
		return result{}, c.countBad(err)
	}
	for try := 0; ; try++ {
		res, err := c.loginTo(ctx, claims.User, kind, req.Caller)
		if !errors.Is(err, sessions.ErrFenced) || try > 0 {
			return res, err
		}
	}
}

// loginTo enters the user's session with new keys. A session whose record was taken from it, as by "hark session end"
// beside this server, ends: ErrFenced, and the next time there is another.
func (c *conn) loginTo(ctx context.Context, user, kind, caller string) (result, error) {
	session, resumed, err := c.server.open(ctx, user)
	if err != nil {
		return result{}, err
	}
	if resumed {
		if err := session.refresh(ctx); err != nil {
			return result{}, err
		}
	}
	keys, err := c.newKeys(ctx, session, newChain(kind), caller)
	if errors.Is(err, sessions.ErrFenced) {
		session.fenced()
		session.awaitEnd(ctx)
	}
	if err != nil {
		return result{}, err
	}
	return c.enter(ctx, session, keys, resumed, kind, false)
}

// prove redeems the ticket; number and PIN are exchanged for one first.
func (c *conn) prove(ctx context.Context, req wire.LoginRequest, door string) (accounts.Claims, error) {
	ticket := req.Ticket
	if ticket == "" {
		var err error
		ticket, err = c.server.Accounts.Authenticate(ctx, accounts.Credentials{
			User: req.User, PIN: req.PIN, Caller: req.Caller, Door: door,
		})
		if err != nil {
			return accounts.Claims{}, err
		}
	}
	return c.server.Accounts.Redeem(ctx, ticket, c.server.Name)
}

// countBad counts a refused LOGIN or RESUME; after maxBadPerConn of them the connection ends.
func (c *conn) countBad(err error) error {
	if errors.Is(err, accounts.ErrRefused) || errors.Is(err, errExpired) {
		c.bad++
	}
	return err
}

// keys are what opens the session the next time.
type keys struct {
	token, code string
	until       time.Time // how long the code holds
}

// newKeys makes a token and a session number.
func (c *conn) newKeys(ctx context.Context, session *Session, line chain, caller string) (keys, error) {
	k := keys{token: newSecret()}
	token, err := c.server.tokenKey(k.token, line)
	if err != nil {
		return keys{}, err
	}
	err = c.addNumber(ctx, &k, session, line.client, caller, token)
	return k, err
}

// addNumber adds a session number to the keys, bound to the caller id if there is one, and puts it into the store with the
// others in one commit. A number that happens to open another session already is drawn again.
func (c *conn) addNumber(ctx context.Context, k *keys, session *Session, client, caller string, others ...sessions.NewKey) (err error) {
	for range 5 {
		k.code, k.until = newCode(), time.Now().Add(codeIdle).UTC()
		all := append(slices.Clip(others), c.server.codeKey(k.code, client, caller))
		err = c.server.Sessions.PutKeys(ctx, session.user, session.epoch, all...)
		if !errors.Is(err, sessions.ErrDuplicate) {
			break
		}
	}
	return err
}

// enter attaches the client to the session and answers with it, once what waits at the networks has come. A brief answer
// leaves out what welcome looks up.
func (c *conn) enter(ctx context.Context, session *Session, k keys, resumed bool, kind string, brief bool) (result, error) {
	session.awaitSettled(ctx)
	reply := wire.SessionReply{
		User: session.user, Session: k.token, Code: k.code, Until: k.until, Epoch: int64(session.epoch), Resumed: resumed,
	}
	if !brief {
		if err := c.server.welcome(ctx, &reply, kind); err != nil {
			return result{}, err
		}
	}
	c.client = kind
	if err := session.ask(func() { session.attach(c) }); err != nil {
		return result{}, err
	}
	c.session = session
	return result{payload: reply}, nil
}

// welcome adds the user's name and how much waits for a kind of client.
func (s *Server) welcome(ctx context.Context, reply *wire.SessionReply, kind string) (err error) {
	waiting, err := s.Sessions.Waiting(ctx, reply.User, kind)
	if err != nil {
		return err
	}
	reply.Waiting, reply.Dropped = waiting.Count, waiting.Dropped.Count
	reply.Name, err = s.Accounts.Name(ctx, reply.User)
	return err
}

// refresh reads the user's external logins again: there may be new ones, or a new password.
func (s *Session) refresh(ctx context.Context) error {
	logins, err := s.server.Accounts.Logins(ctx, s.user)
	if err != nil {
		return err
	}
	if !s.post(func() { s.follow(logins) }) {
		return errEnding
	}
	return nil
}

// resume carries out RESUME.
func (c *conn) resume(ctx context.Context, req wire.ResumeRequest) (result, error) {
	kind, err := clientKind(req.Client)
	if err != nil {
		return result{}, err
	}
	if req.Session != "" {
		res, err := c.resumeByToken(ctx, req)
		return res, c.countBad(err)
	}
	if c.server.guesses.refuses(req.Caller) {
		return result{}, c.countBad(accounts.ErrRefused)
	}
	res, err := c.resumeByCode(ctx, req, kind)
	if errors.Is(err, accounts.ErrRefused) {
		c.server.guesses.failed(req.Caller)
	}
	return res, c.countBad(err)
}

// resumeByToken goes on in a session by its token. The client kind is the one that the token was made for.
func (c *conn) resumeByToken(ctx context.Context, req wire.ResumeRequest) (result, error) {
	record, key, err := c.server.Sessions.UseKey(ctx, c.server.hashKey(kindToken, req.Session))
	if errors.Is(err, sessions.ErrNotFound) {
		return result{}, errExpired
	}
	if err != nil {
		return result{}, err
	}
	session, resumed, err := c.server.open(ctx, record.User)
	if err != nil {
		return result{}, err
	}
	line, k := parseChain(key.Client), keys{token: req.Session}
	if req.Renew {
		if k.token, err = c.server.renewToken(ctx, session, line, req.Session); err != nil {
			return result{}, err
		}
	}
	if req.Number {
		if err := c.addNumber(ctx, &k, session, line.client, ""); err != nil {
			return result{}, err
		}
	}
	return c.enter(ctx, session, k, resumed, line.client, req.Brief)
}

// resumeByCode goes on in a session by its number, which is used up.
func (c *conn) resumeByCode(ctx context.Context, req wire.ResumeRequest, kind string) (result, error) {
	hash := c.server.hashKey(kindCode, req.Code)
	record, err := c.proveCode(ctx, req, hash, kind)
	if err != nil {
		return result{}, err
	}
	session, resumed, err := c.server.open(ctx, record.User)
	if err != nil {
		return result{}, err
	}
	if err := session.refresh(ctx); err != nil {
		return result{}, err
	}
	if err := c.server.Sessions.DropKey(ctx, hash); err != nil {
		return result{}, err
	}
	k, err := c.newKeys(ctx, session, newChain(kind), req.Caller)
	if err != nil {
		return result{}, err
	}
	return c.enter(ctx, session, k, resumed, kind, false)
}

// proveCode checks a session number: alone only from the caller id it was made for, else with the PIN. A PIN is checked
// even if the number is unknown, so that both take the same time.
func (c *conn) proveCode(ctx context.Context, req wire.ResumeRequest, hash, door string) (sessions.Record, error) {
	if !ValidCode(req.Code) {
		return sessions.Record{}, accounts.ErrRefused
	}
	record, key, err := c.server.Sessions.UseKey(ctx, hash)
	if err != nil && !errors.Is(err, sessions.ErrNotFound) {
		return sessions.Record{}, err
	}
	if err == nil && req.PIN == "" && req.Caller != "" && key.Caller == req.Caller {
		return record, nil
	}
	if req.PIN == "" {
		return sessions.Record{}, accounts.ErrRefused
	}
	claims, err := c.prove(ctx, wire.LoginRequest{User: record.User, PIN: req.PIN, Caller: req.Caller}, door)
	if err == nil && claims.User != record.User {
		err = accounts.ErrRefused
	}
	return record, err
}

// clientKind checks the name of a client kind: it names a cursor.
func clientKind(kind string) (string, error) {
	if kind == "" {
		return phone, nil
	}
	if len(kind) > 16 || strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz") != "" {
		return "", badArgument("a client kind is 1 to 16 small letters")
	}
	return kind, nil
}
