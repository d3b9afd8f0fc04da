package testbed

import "testing"

func TestProsody(t *testing.T) {
	p := ProsodyFor(t, ProsodyOptions{Users: map[string]string{"alice": "x", "bob": "y"}, Friends: [][2]string{{"alice", "bob"}}, Rooms: true, Upload: true})
	t.Log(tail(p.LogFile, 3000))
}
