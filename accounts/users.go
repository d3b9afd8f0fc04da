package accounts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hark/db"
)

// A User is an account as administrators see it.
type User struct {
	Number   string // 7 digits
	Name     string
	Language string // BCP 47, "en"
	Made     time.Time
	Locked   bool // strangers have failed so often that only known callers may still try
}

// NewUser says who an account is for.
type NewUser struct {
	Name     string
	Language string // "" is "en"
}

// Add makes an account with a random number and a random PIN, which is not shown again. ErrBadName.
func (d *DB) Add(ctx context.Context, n NewUser) (u User, pin string, err error) {
	name, err := checkName(n.Name)
	if err != nil {
		return User{}, "", err
	}
	if n.Language == "" {
		n.Language = "en"
	}
	digits, err := d.digits(ctx)
	if err != nil {
		return User{}, "", err
	}
	pin = randomDigits(digits)
	kept, err := d.hasher.keep(ctx, pin)
	if err != nil {
		return User{}, "", inside(err)
	}
	u = User{Name: name, Language: n.Language}
	err = d.db.Write(ctx, func(tx *db.Tx) error { return insertUser(tx, &u, kept, digits) })
	if err != nil {
		return User{}, "", err
	}
	return u, pin, nil
}

// insertUser finds a number that nobody has.
func insertUser(tx *db.Tx, u *User, pin string, digits int) error {
	for range 100 {
		var made int64
		u.Number = randomNumber()
		err := tx.Row(`
			INSERT INTO account (usr, name, language, pin, pin_digits, made) VALUES ($1, $2, $3, $4, $5, hark_now())
			ON CONFLICT DO NOTHING RETURNING made`, u.Number, u.Name, u.Language, pin, digits).Scan(&made)
		if errors.Is(err, db.ErrNoRows) {
			continue
		}
		u.Made = time.UnixMilli(made).UTC()
		return inside(err)
	}
	return errors.New("accounts: no user number is free")
}

// randomNumber draws 7 digits that do not begin with 0.
func randomNumber() string {
	n, err := rand.Int(rand.Reader, big.NewInt(9_000_000))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return fmt.Sprint(1_000_000 + n.Int64())
}

// digits is how many digits a PIN needs now.
func (d *DB) digits(ctx context.Context) (int, error) {
	var users int
	if err := d.db.Row(ctx, `SELECT count(*) FROM account`).Scan(&users); err != nil {
		return 0, inside(err)
	}
	if users >= manyUsers {
		return pinLonger, nil
	}
	return pinDigits, nil
}

// PINDigits is how many digits the PINs of all accounts have, or -1 when that differs. It tells nothing of one account.
func (d *DB) PINDigits(ctx context.Context) (int, error) {
	var shortest, longest int
	err := d.db.Row(ctx, `
		SELECT coalesce((SELECT min(pin_digits) FROM account), $1), coalesce((SELECT max(pin_digits) FROM account), $1)`,
		pinDigits).Scan(&shortest, &longest)
	if err != nil {
		return 0, inside(err)
	}
	if shortest != longest {
		return -1, nil
	}
	return shortest, nil
}

const userQuery = `
	SELECT a.usr, a.name, a.language, a.made, coalesce(t.failures, 0) >= $1
	FROM account a LEFT JOIN attempt t ON t.usr = a.usr AND t.bucket = '' `

func scanUser(row db.Scanner) (u User, err error) {
	var made int64
	err = row.Scan(&u.Number, &u.Name, &u.Language, &made, &u.Locked)
	u.Made = time.UnixMilli(made).UTC()
	return u, found(err)
}

// List returns all accounts, by number.
func (d *DB) List(ctx context.Context) (users []User, err error) {
	err = d.db.Each(ctx, userQuery+`ORDER BY a.usr`, []any{lockedAt}, func(row db.Scanner) error {
		u, err := scanUser(row)
		users = append(users, u)
		return err
	})
	return users, inside(err)
}

// Get returns an account; ErrNotFound.
func (d *DB) Get(ctx context.Context, number string) (User, error) {
	return scanUser(d.db.Row(ctx, userQuery+`WHERE a.usr = $2`, lockedAt, number))
}

// Name returns what the user is called, "" when there is no such user.
func (d *DB) Name(ctx context.Context, number string) (string, error) {
	u, err := d.Get(ctx, number)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return u.Name, err
}

// SetPIN gives the account a PIN of its user's own choice, and opens it when it was locked. ErrBadPIN, ErrNotFound.
func (d *DB) SetPIN(ctx context.Context, number, pin string) error {
	digits, err := d.digits(ctx)
	if err != nil {
		return err
	}
	if err := checkPIN(number, pin, digits); err != nil {
		return err
	}
	return d.replacePIN(ctx, number, pin)
}

// NewPIN gives the account a random PIN, which is not shown again, and opens it when it was locked. ErrNotFound.
func (d *DB) NewPIN(ctx context.Context, number string) (pin string, err error) {
	digits, err := d.digits(ctx)
	if err != nil {
		return "", err
	}
	pin = randomDigits(digits)
	if err := d.replacePIN(ctx, number, pin); err != nil {
		return "", err
	}
	return pin, nil
}

func (d *DB) replacePIN(ctx context.Context, number, pin string) error {
	kept, err := d.hasher.keep(ctx, pin)
	if err != nil {
		return inside(err)
	}
	defer d.verifier.drop(number)
	return d.db.Write(ctx, func(tx *db.Tx) error {
		if n, err := tx.Exec(`UPDATE account SET pin = $2, pin_digits = $3 WHERE usr = $1`, number, kept, len(pin)); n == 0 || err != nil {
			return changed(n, err)
		}
		_, err := tx.Exec(`DELETE FROM attempt WHERE usr = $1`, number)
		return inside(err)
	})
}

// maxName is how many characters a name has at most.
const maxName = 60

// checkName returns a name without the space around it, or ErrBadName.
func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", ErrBadName
	}
	return name, nil
}

// SetName changes what the user is called. ErrBadName, ErrNotFound.
func (d *DB) SetName(ctx context.Context, number, name string) error {
	name, err := checkName(name)
	if err != nil {
		return err
	}
	return d.db.Write(ctx, func(tx *db.Tx) error {
		return changed(tx.Exec(`UPDATE account SET name = $2 WHERE usr = $1`, number, name))
	})
}

// SetLanguage changes the language in which the user is spoken to. ErrNotFound.
func (d *DB) SetLanguage(ctx context.Context, number, language string) error {
	return d.db.Write(ctx, func(tx *db.Tx) error {
		return changed(tx.Exec(`UPDATE account SET language = $2 WHERE usr = $1`, number, language))
	})
}

// Delete removes the account and everything that this package keeps of it; what package sessions keeps is for its Purge.
// ErrNotFound.
func (d *DB) Delete(ctx context.Context, number string) error {
	defer d.verifier.drop(number)
	return d.db.Write(ctx, func(tx *db.Tx) error {
		if n, err := tx.Exec(`DELETE FROM account WHERE usr = $1`, number); n == 0 || err != nil {
			return changed(n, err)
		}
		for _, table := range []string{"login", "caller", "known_caller", "attempt", "phone", "dialled"} {
			if _, err := tx.Exec(`DELETE FROM `+table+` WHERE usr = $1`, number); err != nil {
				return inside(err)
			}
		}
		return nil
	})
}
