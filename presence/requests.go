package presence

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"hark/presence/wire"
)

// Login starts the user's session or attaches to it. Errors: AUTHFAILED, REFERRAL (which Dialer follows), TRYLATER,
// LIMIT.
func (c *Client) Login(ctx context.Context, req wire.LoginRequest) (wire.SessionReply, error) {
	var reply wire.SessionReply
	err := c.do(ctx, wire.Login, req, &reply)
	return reply, err
}

// Resume attaches to a session by its token or its session number. Errors: as Login, and EXPIRED for a token.
func (c *Client) Resume(ctx context.Context, req wire.ResumeRequest) (wire.SessionReply, error) {
	var reply wire.SessionReply
	err := c.do(ctx, wire.Resume, req, &reply)
	return reply, err
}

// Fetch reads messages. An answer ends early where it would not fit into a frame: ask again after its last message.
func (c *Client) Fetch(ctx context.Context, req wire.FetchRequest) (wire.FetchReply, error) {
	var reply wire.FetchReply
	err := c.do(ctx, wire.Fetch, req, &reply)
	return reply, err
}

// Ack says that the user has heard or seen everything up to seq. It is durable when Ack returns.
func (c *Client) Ack(ctx context.Context, seq int64) error {
	return c.do(ctx, wire.Ack, wire.AckRequest{Seq: seq}, nil)
}

// Heard says which messages the user has heard or seen to their end, in any order, so that their senders can be told. It
// moves no cursor; say it once for each message. A network that is away is not told later.
func (c *Client) Heard(ctx context.Context, seqs ...int64) error {
	return c.do(ctx, wire.Ack, wire.AckRequest{Heard: seqs}, nil)
}

// Send sends a message. Once it returns without error the message is kept and goes out, now or when its network is back
// (State Queued). Sending the same id again within 24 hours is a no-op with the same answer.
func (c *Client) Send(ctx context.Context, req wire.SendRequest) (wire.SendReply, error) {
	var reply wire.SendReply
	err := c.do(ctx, wire.Send, req, &reply)
	return reply, err
}

// Roster lists the people of all networks, and who else wrote; online first, then by name.
func (c *Client) Roster(ctx context.Context) ([]wire.Contact, error) {
	var reply wire.RosterReply
	err := c.do(ctx, wire.Roster, nil, &reply)
	return reply.Contacts, err
}

// Status sets the user's own availability at all networks, also for later logins. GetStates with wire.Status tells what was
// set; nothing is im.Available.
func (c *Client) Status(ctx context.Context, req wire.StatusRequest) error {
	return c.do(ctx, wire.Status, req, nil)
}

// Typing tells somebody that the user began or stopped typing, where the network can.
func (c *Client) Typing(ctx context.Context, req wire.TypingRequest) error {
	return c.do(ctx, wire.Typing, req, nil)
}

// PutState keeps a small fact, whatever it was before: wire.Draft and wire.Place have one each (key ""), wire.State one per
// key. What is made of the present value, such as a longer list, is for ChangeState.
func (c *Client) PutState(ctx context.Context, verb, key string, value any) error {
	raw, err := wire.Marshal(value)
	if err != nil {
		return err
	}
	return c.do(ctx, verb, wire.StateRequest{Key: key, Put: raw}, nil)
}

// GetState reads a fact into value, a pointer; when there is none it leaves *value as it is.
func (c *Client) GetState(ctx context.Context, verb, key string, value any) error {
	var reply wire.StateReply
	if err := c.do(ctx, verb, wire.StateRequest{Key: key, Get: true}, &reply); err != nil {
		return err
	}
	if fact := reply.Value; isFact(fact) {
		return json.Unmarshal(fact, value)
	}
	return nil
}

func isFact(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// mostChanges is how often ChangeState tries while others change the same fact: each time one of them has succeeded.
const mostChanges = 50

// ChangeState changes a fact so that what other doors did at the same moment is not lost. It reads the fact into value, a
// pointer (zero when there is none), and keeps what change returns; nil drops the fact. It does so anew when somebody else
// was faster, and when the same change was made already it must leave all as it is: after a lost connection the change may be
// asked for twice. A server of before, which knows no tags, keeps it in any case.
func (c *Client) ChangeState(ctx context.Context, verb, key string, value any, change func() any) (err error) {
	for range mostChanges {
		if err = c.changeOnce(ctx, verb, key, value, change); !HasCode(err, wire.Changed) {
			break
		}
	}
	return err
}

func (c *Client) changeOnce(ctx context.Context, verb, key string, value any, change func() any) error {
	var reply wire.StateReply
	if err := c.do(ctx, verb, wire.StateRequest{Key: key, Get: true}, &reply); err != nil {
		return err
	}
	reflect.ValueOf(value).Elem().SetZero()
	if !isFact(reply.Value) {
		reply.Value = nil
	} else if err := json.Unmarshal(reply.Value, value); err != nil {
		return err
	}
	req := wire.StateRequest{Key: key, Drop: true, If: reply.Tag}
	if kept := change(); kept != nil {
		raw, err := wire.Marshal(kept)
		if err != nil {
			return err
		}
		req.Put, req.Drop = raw, false
	}
	if bytes.Equal(req.Put, reply.Value) {
		return nil
	}
	return c.do(ctx, verb, req, nil)
}

// GetStates reads several facts into pointers: those of wire.State by their keys, the others by wire.Draft, wire.Place and
// wire.Status. Those that there are none of stay as they are. What does not fit into one answer is asked for one by one.
func (c *Client) GetStates(ctx context.Context, values map[string]any) error {
	var reply wire.StateReply
	req := wire.StateRequest{Keys: slices.Sorted(maps.Keys(values)), Get: true}
	if err := c.do(ctx, wire.State, req, &reply); HasCode(err, wire.TooLong) {
		return c.getEach(ctx, values)
	} else if err != nil {
		return err
	}
	for key, raw := range reply.Values {
		if into := values[key]; into != nil {
			if err := json.Unmarshal(raw, into); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Client) getEach(ctx context.Context, values map[string]any) error {
	for key, into := range values {
		if key == wire.Status { // it has no get of its own, and always fits
			if err := c.GetStates(ctx, map[string]any{key: into}); err != nil {
				return err
			}
			continue
		}
		verb := wire.State
		if key == wire.Draft || key == wire.Place {
			verb, key = key, ""
		}
		if err := c.GetState(ctx, verb, key, into); err != nil {
			return err
		}
	}
	return nil
}

// DropState removes a fact; removing what is not there is no error.
func (c *Client) DropState(ctx context.Context, verb, key string) error {
	return c.do(ctx, verb, wire.StateRequest{Key: key, Drop: true}, nil)
}

// Networks tells the state of each external login.
func (c *Client) Networks(ctx context.Context) ([]wire.ServiceEvent, error) {
	var reply wire.NetworksReply
	err := c.do(ctx, wire.Networks, nil, &reply)
	return reply.Networks, err
}

// Ping makes one round trip.
func (c *Client) Ping(ctx context.Context) error { return c.do(ctx, wire.Ping, nil, nil) }

// Detach leaves the session; the session goes on.
func (c *Client) Detach(ctx context.Context) error { return c.do(ctx, wire.Detach, nil, nil) }

// Logout ends the session and the external logins.
func (c *Client) Logout(ctx context.Context) error { return c.do(ctx, wire.Logout, nil, nil) }
