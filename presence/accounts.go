package presence

import (
	"context"

	"hark/accounts"
	"hark/im"
)

// Accounts is what a presence server asks the Account Information Server.
type Accounts interface {
	// Authenticate checks number and PIN and returns a ticket; every refusal is accounts.ErrRefused.
	accounts.Authenticator
	// Redeem checks a ticket and uses it up. node is the one that asks; accounts.ErrRefused for a ticket that is forged,
	// old, used, or for another node.
	Redeem(ctx context.Context, ticket, node string) (accounts.Claims, error)
	// Logins returns the user's logins at external services, with their passwords.
	Logins(ctx context.Context, user string) ([]im.Account, error)
	// Name returns what the user is called, "" when unknown.
	Name(ctx context.Context, user string) (string, error)
}

// A Referrer is an Accounts that can sign tickets for another node; without one a server cannot refer and says
// TRYLATER for a session that another node owns.
type Referrer interface {
	Refer(ctx context.Context, c accounts.Claims) (ticket string, err error)
}
