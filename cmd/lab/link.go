package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/hajimehoshi/go-mp3"
)

// fetch follows a link as a stranger's program would and returns the body and its media type.
func fetch(ctx context.Context, link, accept string) (body []byte, mediaType string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, "", err
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("%s answered %s", link, resp.Status)
	}
	body, err = io.ReadAll(resp.Body)
	return body, resp.Header.Get("Content-Type"), err
}

// decodeMP3 returns the samples of one channel and their rate.
func decodeMP3(file []byte) (samples []int16, rate int, err error) {
	decoder, err := mp3.NewDecoder(bytes.NewReader(file))
	if err != nil {
		return nil, 0, err
	}
	stereo, err := io.ReadAll(decoder)
	if err != nil {
		return nil, 0, err
	}
	for i := 0; i+3 < len(stereo); i += 4 {
		samples = append(samples, int16(binary.LittleEndian.Uint16(stereo[i:])))
	}
	return samples, decoder.SampleRate(), nil
}

// length of sound.
func length(samples []int16, rate int) time.Duration {
	return time.Duration(len(samples)) * time.Second / time.Duration(rate)
}
