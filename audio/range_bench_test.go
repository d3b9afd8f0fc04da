package audio

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkRange is 206 answers of 16 KiB over eight kept connections, ours beside nginx with the same file.
func BenchmarkRange(b *testing.B) {
	s, h, rec, path := served(b, 60*time.Second, Meta{})
	if err := s.Wait(b.Context(), rec); err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	b.Run("hark", func(b *testing.B) { hammer(b, srv.URL+path+".wav", rec.Bytes) })
	b.Run("nginx", func(b *testing.B) {
		hammer(b, nginx(b, filepath.Join(s.dir, rec.key()+".wav")), rec.Bytes)
	})
}

// hammer asks b.N times for a range, and reports requests per second and the 99th percentile.
func hammer(b *testing.B, url string, size int64) {
	const clients, length = 8, 16 << 10
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	took := make([][]time.Duration, clients)
	b.ResetTimer()
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := c; i < b.N; i += clients {
				start := time.Now()
				if err := getRange(client, url, int64(i)*7919%(size-length), length); err != nil {
					b.Error(err)
					return
				}
				took[c] = append(took[c], time.Since(start))
			}
		})
	}
	wg.Wait()
	all := slices.Concat(took...)
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "ms/p99")
}

func getRange(client *http.Client, url string, from, length int64) error {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, from+length-1))
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	if err == nil && (answer.StatusCode != http.StatusPartialContent || n != length) {
		err = fmt.Errorf("%s, %d bytes", answer.Status, n)
	}
	return err
}

const nginxConf = `
daemon off;
master_process on;
worker_processes auto;
pid DIR/pid;
error_log DIR/error.log;
events { worker_connections 256; }
http {
	access_log off;
	sendfile on;
	keepalive_requests 1000000;
	client_body_temp_path DIR; proxy_temp_path DIR; fastcgi_temp_path DIR; uwsgi_temp_path DIR; scgi_temp_path DIR;
	server { listen 127.0.0.1:PORT; root DIR; }
}
`

// nginx serves a copy of the file until the benchmark ends, and returns its URL.
func nginx(b *testing.B, file string) string {
	tool, err := exec.LookPath("nginx")
	if err != nil {
		b.Skip("nginx is missing: apt-get install nginx-light")
	}
	dir := b.TempDir()
	data, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	conf := strings.NewReplacer("DIR", dir, "PORT", port).Replace(nginxConf)
	if os.Getuid() == 0 {
		conf = "user root;" + conf // else its workers may not read our directory
	}
	for name, text := range map[string]string{"file.wav": string(data), "nginx.conf": conf} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	cmd := exec.Command(tool, "-c", filepath.Join(dir, "nginx.conf"), "-p", dir, "-e", filepath.Join(dir, "error.log"))
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			_ = c.Close()
			return "http://127.0.0.1:" + port + "/file.wav"
		}
		if time.Now().After(deadline) {
			b.Fatal("nginx does not start")
		}
	}
}
