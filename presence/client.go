package presence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"hark/presence/wire"
)

// What a client waits for.
const (
	helloTimeout = 10 * time.Second  // from the connection to HELLO
	writeTimeout = 15 * time.Second  // for one frame
	deadAfter    = 100 * time.Second // without a line; the server asks for a sign of life long before
)

// A Client is one socket to one presence server. Its methods may be called from any goroutine, also many at once. They
// return an *Error for NO and BAD, ErrClosed (wrapped) when the socket is gone, and ctx's error when ctx ends first; the
// server may carry the request out all the same. The client answers the server's PING by itself.
//
// Whoever made the client calls Close in the end, also after Detach and Logout.
type Client struct {
	conn   net.Conn
	reader *wire.Reader
	hello  wire.HelloEvent
	log    *slog.Logger
	events *eventQueue
	gone   chan struct{} // closed when the reader ended
	closed chan struct{} // closed by Close
	tasks  sync.WaitGroup

	writing   sync.Mutex  // held while one frame is written
	answering atomic.Bool // a sign of life that the server asked for is on its way

	mu      sync.Mutex
	lastTag uint64
	waiting map[string]chan<- wire.Reply // nil once the reader ended
	cause   error                        // why the reader ended
}

// NewClient takes over conn, waits for HELLO, and starts to read. On an error it closes conn. A nil log drops the log.
func NewClient(conn net.Conn, log *slog.Logger) (*Client, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Client{
		conn: conn, reader: wire.NewReader(conn), log: log, events: newEventQueue(),
		gone: make(chan struct{}), closed: make(chan struct{}),
		waiting: make(map[string]chan<- wire.Reply),
	}
	if err := c.greet(); err != nil {
		conn.Close()
		return nil, err
	}
	c.tasks.Go(c.read)
	return c, nil
}

// greet reads HELLO.
func (c *Client) greet() error {
	c.conn.SetReadDeadline(time.Now().Add(helloTimeout))
	line, err := c.reader.Line()
	if err != nil {
		return fmt.Errorf("%w: no greeting: %w", ErrClosed, err)
	}
	e, err := wire.ParseEvent(line)
	if err != nil {
		return fmt.Errorf("presence: not a presence server: %w", err)
	}
	if e.Name == wire.Bye {
		return &Error{Status: wire.NO, Code: e.Code, Arg: e.CodeArg, Text: e.Text}
	}
	if err := wire.Unmarshal(e.JSON, &c.hello); err != nil || e.Name != wire.Hello {
		return errors.New("presence: not a presence server: it does not greet")
	}
	if c.hello.Proto != wire.Version {
		return fmt.Errorf("presence: the server speaks version %d of the protocol, this client %d", c.hello.Proto, wire.Version)
	}
	return nil
}

// Hello returns the server's greeting.
func (c *Client) Hello() wire.HelloEvent { return c.hello }

// Done is closed when the socket is gone.
func (c *Client) Done() <-chan struct{} { return c.gone }

// Close closes the socket, which detaches from the session, and waits for the client's goroutines. It may be called
// more than once.
func (c *Client) Close() error {
	c.mu.Lock()
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	c.mu.Unlock()
	c.conn.SetDeadline(time.Time{}) // or its timer would hold the connection's memory
	err := c.conn.Close()
	c.tasks.Wait()
	return err
}

// read hands out replies and events until the socket is gone.
func (c *Client) read() {
	err := c.readAll()
	c.conn.Close()
	c.mu.Lock()
	c.cause, c.waiting = err, nil
	c.mu.Unlock()
	c.events.finish()
	close(c.gone)
}

func (c *Client) readAll() error {
	for {
		c.conn.SetReadDeadline(time.Now().Add(deadAfter))
		line, err := c.reader.Line()
		if err != nil {
			return err
		}
		if wire.IsEvent(line) {
			err = c.readEvent(line)
		} else {
			err = c.readReply(line)
		}
		if err != nil {
			return err
		}
	}
}

func (c *Client) readEvent(line []byte) error {
	frame, err := wire.ParseEvent(line)
	if err != nil {
		return err
	}
	if frame.Name == wire.Ping {
		c.answerPing()
		return nil
	}
	event, err := decodeEvent(frame)
	if err != nil {
		return err
	}
	c.events.push(event)
	return nil
}

func (c *Client) readReply(line []byte) error {
	reply, err := wire.ParseReply(line)
	if err != nil {
		return err
	}
	c.mu.Lock()
	waiter := c.waiting[reply.Tag]
	delete(c.waiting, reply.Tag)
	c.mu.Unlock()
	if waiter != nil {
		waiter <- reply
	}
	return nil
}

// answerPing gives a sign of life, in a goroutine of its own because the reader must never wait for a write. While one is
// being given another is not needed.
func (c *Client) answerPing() {
	if !c.answering.CompareAndSwap(false, true) {
		return
	}
	c.tasks.Go(func() {
		defer c.answering.Store(false)
		if err := c.do(context.Background(), wire.Ping, nil, nil); err != nil {
			c.log.Debug("presence: sign of life not given", "err", err)
		}
	})
}

// do carries out one request and reads the answer into result, which may be nil.
func (c *Client) do(ctx context.Context, verb string, arg, result any) error {
	raw, err := wire.Marshal(arg)
	if err != nil {
		return err
	}
	answer := make(chan wire.Reply, 1)
	tag, err := c.expect(answer)
	if err != nil {
		return err
	}
	defer c.forget(tag)
	if err := c.write(wire.Request{Tag: tag, Verb: verb, Arg: raw}); err != nil {
		return err
	}
	select {
	case reply := <-answer:
		return decodeReply(reply, result)
	case <-ctx.Done():
		return ctx.Err()
	case <-c.gone:
	}
	select { // the answer may have come last of all
	case reply := <-answer:
		return decodeReply(reply, result)
	default:
		return c.closedError()
	}
}

// expect draws a tag whose reply goes to answer.
func (c *Client) expect(answer chan<- wire.Reply) (tag string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		return "", fmt.Errorf("%w: %v", ErrClosed, c.cause)
	}
	c.lastTag++
	tag = "c" + strconv.FormatUint(c.lastTag, 36)
	c.waiting[tag] = answer
	return tag, nil
}

func (c *Client) forget(tag string) {
	c.mu.Lock()
	delete(c.waiting, tag)
	c.mu.Unlock()
}

func (c *Client) write(r wire.Request) error {
	frame := r.Append(nil)
	if len(frame) > wire.MaxFrame {
		return &Error{Status: wire.BAD, Code: wire.TooLong, Text: "the request is too long"}
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := c.conn.Write(frame); err != nil {
		c.conn.Close()
		return fmt.Errorf("%w: %v", ErrClosed, err)
	}
	return nil
}

func (c *Client) closedError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Errorf("%w: %v", ErrClosed, c.cause)
}

func decodeReply(reply wire.Reply, result any) error {
	if reply.Status != wire.OK {
		return &Error{Status: reply.Status, Code: reply.Code, Arg: reply.CodeArg, Text: reply.Text}
	}
	if result == nil {
		return nil
	}
	return wire.Unmarshal(reply.JSON, result)
}
