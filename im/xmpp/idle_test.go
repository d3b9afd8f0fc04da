package xmpp_test

import (
	"runtime"
	"testing"
)

// BenchmarkIdle measures what an idle login over TLS takes on our side: live heap and stacks, without what the kernel
// keeps for the socket. Prosody's part is not counted.
//
//	go test -run - -bench Idle -benchtime 200x ./im/xmpp
func BenchmarkIdle(b *testing.B) {
	r := startRealm(b, b.N)
	s := r.service()
	before, goroutines := inUse(), runtime.NumGoroutine()
	b.ResetTimer()
	diaries := make([]*diary, b.N)
	for i := range b.N {
		_, diaries[i] = login(b, s, r.account(i), nil)
	}
	for _, d := range diaries {
		find(b, d, anyRoster)
	}
	b.StopTimer()
	b.ReportMetric(float64(inUse()-before)/float64(b.N), "B/login")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(b.N), "goroutines/login")
}

func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
