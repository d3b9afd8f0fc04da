package presence

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"hark/sessions"
)

// How long a session's keys live (threats T4 and T5).
const (
	codeIdle  = 24 * time.Hour
	codeLife  = 7 * 24 * time.Hour
	tokenIdle = 10 * time.Minute // of a token that stands in a page or a cookie
	tokenLife = 12 * time.Hour
	keepCodes = 4 // session numbers of one user that hold at once, one per call going on
	keepTurns = 2 // tokens of one chain that hold at once: the page shown, and the one before it
)

// The kinds of sessions.Key.
const (
	kindToken = "token"
	kindCode  = "code"
)

// phone is the client kind of telephones, and of clients that name none.
const phone = "phone"

// newSecret draws 128 bits.
func newSecret() string {
	b := make([]byte, 16)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// newCode draws a session number: 8 digits and a check digit.
func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	digits := fmt.Sprintf("%08d", n)
	return digits + string('0'+damm(digits))
}

// ValidCode tells whether code could be a session number: 9 digits with the right check digit. It notices every single
// wrong digit and every swap of neighbours, so that a slip of the finger need not count as a guess.
func ValidCode(code string) bool {
	if len(code) != 9 || strings.Trim(code, "0123456789") != "" {
		return false
	}
	return damm(code) == 0
}

// damm is H. M. Damm's check digit: over digits with their check digit it is 0.
func damm(digits string) byte {
	const table = "0317598642" + "7092154863" + "4206871359" + "1750983426" + "6123045978" +
		"3674209581" + "5869720134" + "8945362017" + "9438617205" + "2581436790"
	row := byte(0)
	for i := range len(digits) {
		row = table[row*10+digits[i]-'0'] - '0'
	}
	return row
}

// hashKey is what the store keeps of a token or session number.
func (s *Server) hashKey(kind, secret string) string {
	return hex.EncodeToString(s.mac(kind, secret))
}

// mac is a keyed hash, different for each purpose.
func (s *Server) mac(purpose, text string) []byte {
	mac := hmac.New(sha256.New, s.Secret)
	mac.Write([]byte(purpose + ":" + text))
	return mac.Sum(nil)
}

// codeKey is the key of a session number, bound to the caller id.
func (s *Server) codeKey(code, client, caller string) sessions.NewKey {
	return sessions.NewKey{
		Key:  sessions.Key{Hash: s.hashKey(kindCode, code), Kind: kindCode, Client: client, Caller: caller},
		Idle: codeIdle, Absolute: codeLife, Keep: keepCodes,
	}
}

// A chain is a line of tokens of which each replaced the one before it, from one login on. It is written in the key's
// client field ("web:1764000000:Xk3…"), so that the store keeps the last two of each chain, and no chain pushes out
// another one's.
type chain struct {
	client string    // client kind
	made   time.Time // the login
	id     string
}

func newChain(client string) chain {
	return chain{client: client, made: time.Now(), id: newSecret()[:8]}
}

// parseChain reads String's form; the zero time stands for what cannot be read.
func parseChain(s string) chain {
	parts := strings.SplitN(s, ":", 3)
	c := chain{client: parts[0]}
	if len(parts) == 3 {
		seconds, _ := strconv.ParseInt(parts[1], 10, 64)
		c.made, c.id = time.Unix(seconds, 0), parts[2]
	}
	return c
}

func (c chain) String() string { return fmt.Sprintf("%s:%d:%s", c.client, c.made.Unix(), c.id) }

// lifetime is how long a token of the chain may idle, and how long it may live at all from now on.
func (c chain) lifetime() (idle, absolute time.Duration) {
	if c.client == phone {
		return codeIdle, codeLife - time.Since(c.made)
	}
	return tokenIdle, tokenLife - time.Since(c.made)
}

// tokenKey is the key of a token of a chain; errExpired when the chain's time is over.
func (s *Server) tokenKey(token string, c chain) (sessions.NewKey, error) {
	idle, absolute := c.lifetime()
	if absolute <= 0 {
		return sessions.NewKey{}, errExpired
	}
	return sessions.NewKey{
		Key:  sessions.Key{Hash: s.hashKey(kindToken, token), Kind: kindToken, Client: c.String()},
		Idle: idle, Absolute: absolute, Keep: keepTurns,
	}, nil
}

// renewToken makes the token of a chain that comes after another one. The same token always has the same successor, so
// that a page that is asked for twice does not use up the chain.
func (s *Server) renewToken(ctx context.Context, session *Session, c chain, before string) (string, error) {
	token := s.successor(before)
	key, err := s.tokenKey(token, c)
	if err != nil {
		return "", err
	}
	return token, s.Sessions.PutKeys(ctx, session.user, session.epoch, key)
}

// successor is the token after a token: 128 bits that only this service can tell.
func (s *Server) successor(token string) string {
	return base64.RawURLEncoding.EncodeToString(s.mac("after", token)[:16])
}
