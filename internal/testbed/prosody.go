package testbed
import "context"
type ProsodyOptions struct{}
type Prosody struct{LogFile string}
func (p *Prosody) Discard() error { return nil }
func StartProsody(ctx context.Context, o ProsodyOptions) (*Prosody, error) { return nil, nil }
