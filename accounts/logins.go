package accounts

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"hark/db"
	"hark/im"
)

// SetLogin keeps the user's login at a network, in place of an earlier one there. ErrNotFound when there is no such user.
func (d *DB) SetLogin(ctx context.Context, a im.Account) error {
	sealed, err := d.seal(a)
	if err != nil {
		return err
	}
	return d.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`UPDATE account SET usr = usr WHERE usr = $1`, a.User) // there, and not deleted before this commits
		if n == 0 || err != nil {
			return changed(n, err)
		}
		_, err = tx.Exec(`
			INSERT INTO login (usr, network, id, server, secret) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (usr, network) DO UPDATE SET id = excluded.id, server = excluded.server, secret = excluded.secret`,
			a.User, a.Network, a.ID, a.Server, sealed)
		return inside(err)
	})
}

// Logins returns the user's logins at external services, with their passwords, by network.
func (d *DB) Logins(ctx context.Context, user string) (logins []im.Account, err error) {
	err = d.db.Each(ctx, `SELECT network, id, server, secret FROM login WHERE usr = $1 ORDER BY network`, []any{user},
		func(row db.Scanner) error {
			a := im.Account{User: user}
			var sealed []byte
			if err := row.Scan(&a.Network, &a.ID, &a.Server, &sealed); err != nil {
				return err
			}
			if err := d.unseal(&a, sealed); err != nil {
				return err
			}
			logins = append(logins, a)
			return nil
		})
	if err != nil {
		return nil, inside(err)
	}
	return logins, nil
}

// DropLogin forgets the user's login at a network; ErrNotFound.
func (d *DB) DropLogin(ctx context.Context, user, network string) error {
	return d.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`DELETE FROM login WHERE usr = $1 AND network = $2`, user, network)
		return changed(n, err)
	})
}

// A secret is what of a login is sealed. Options may hold a token as well as a port.
type secret struct {
	Password string            `json:"password"`
	Options  map[string]string `json:"options,omitempty"`
}

func (d *DB) cipher() cipher.AEAD {
	aead, err := chacha20poly1305.NewX(d.sealKey)
	if err != nil {
		panic(err) // only for keys of a wrong length
	}
	return aead
}

// bound is what a sealed secret belongs to: moved to another account or network, it does not open.
func bound(a im.Account) []byte {
	return fmt.Appendf(nil, "hark login %d:%s %d:%s", len(a.User), a.User, len(a.Network), a.Network)
}

// seal returns nonce and ciphertext (XChaCha20-Poly1305).
func (d *DB) seal(a im.Account) ([]byte, error) {
	text, err := json.Marshal(secret{a.Password, a.Options})
	if err != nil {
		return nil, inside(err)
	}
	aead := d.cipher()
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(text)+aead.Overhead())
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, text, bound(a)), nil
}

// unseal fills in password and options.
func (d *DB) unseal(a *im.Account, sealed []byte) error {
	aead := d.cipher()
	if len(sealed) < aead.NonceSize() {
		return errors.New("accounts: a stored login is cut short")
	}
	nonce, text := sealed[:aead.NonceSize()], sealed[aead.NonceSize():]
	text, err := aead.Open(nil, nonce, text, bound(*a))
	if err != nil {
		return fmt.Errorf("accounts: the login of user %s at %s does not open: %w", a.User, a.Network, err)
	}
	var s secret
	if err := json.Unmarshal(text, &s); err != nil {
		return errors.New("accounts: a stored login is not readable")
	}
	a.Password, a.Options = s.Password, s.Options
	return nil
}
