package sipphone

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// Register tells a registrar ("sip:127.0.0.1:5060") that user can be called here, for the given time; 0 takes it back.
// It does not renew. A refusal is *Refused.
func (p *Phone) Register(ctx context.Context, registrar, user, password string, expires time.Duration) error {
	var to sip.Uri
	if err := sip.ParseUri(registrar, &to); err != nil {
		return fmt.Errorf("sipphone: %q: %w", registrar, err)
	}
	req := sip.NewRequest(sip.REGISTER, to)
	account := sip.Uri{Scheme: "sip", User: user, Host: to.Host}
	from := &sip.FromHeader{Address: account}
	from.Params.Add("tag", sip.GenerateTagN(16))
	contact := p.contact()
	contact.Address.User = user
	req.AppendHeader(from)
	req.AppendHeader(&sip.ToHeader{Address: account})
	req.AppendHeader(&contact)
	req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(int(expires/time.Second))))
	res, err := p.client.Do(ctx, req, sipgo.ClientRequestRegisterBuild)
	if err == nil && (res.StatusCode == 401 || res.StatusCode == 407) && password != "" {
		res, err = p.client.DoDigestAuth(ctx, req, res, sipgo.DigestAuth{Username: user, Password: password})
	}
	if err != nil {
		return fmt.Errorf("sipphone: registering: %w", err)
	}
	if !res.IsSuccess() {
		return &Refused{Code: res.StatusCode, Reason: res.Reason}
	}
	return nil
}
