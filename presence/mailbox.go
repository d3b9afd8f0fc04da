package presence

import "sync"

// A mailbox runs functions one after the other, in the order of posting. Its goroutine is there only while there is
// something to run: a session mostly waits, and a goroutine that waits takes more memory than all else that the session
// needs. The zero value is ready.
//
// It does not bound how much waits: those who post do, each by waiting for what it posted or by the tokens of its link.
type mailbox struct {
	mu      sync.Mutex
	queue   []func()
	running bool
	closed  bool
}

// post has f run. It never blocks; false means that the mailbox is closed, and f does not run.
func (m *mailbox) post(f func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.queue = append(m.queue, f)
	if !m.running {
		m.running = true
		go m.run()
	}
	return true
}

// close has nothing run any more, not even what was posted before. A function of the mailbox calls it, and is the last
// one.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.queue = true, nil
}

// run is the goroutine.
func (m *mailbox) run() {
	for f := m.next(); f != nil; f = m.next() {
		f()
	}
}

// next takes the oldest function, or notes that the goroutine ends.
func (m *mailbox) next() func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.queue) == 0 {
		m.queue, m.running = nil, false
		return nil
	}
	f := m.queue[0]
	m.queue = m.queue[1:]
	return f
}
