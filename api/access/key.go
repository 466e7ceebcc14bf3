package access

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"regexp"
	"strings"
)

// Of a key: its beginning, how long its id is, and how many characters of five random bits stand behind that.
const (
	prefix       = "qt_"
	idLength     = 8
	secretLength = 40
)

// ErrForm is what is no key at all.
var ErrForm = errors.New("no API key: it begins with qt_, and has 40 to 120 letters, digits, '-' or '_' behind that, as in qt_$(openssl rand -hex 32)")

// form is what our keys look like, and those that somebody else made up for a file.
var form = regexp.MustCompile(`^qt_[A-Za-z0-9_-]{40,120}$`)

// newKey makes a key.
func newKey() string {
	random := make([]byte, (idLength+secretLength)*5/8)
	_, _ = rand.Read(random) // it never fails
	return prefix + strings.ToLower(base32.StdEncoding.EncodeToString(random))
}

// idOf is the id of a key, "" where it is none.
func idOf(key string) string {
	if !form.MatchString(key) {
		return ""
	}
	return key[len(prefix) : len(prefix)+idLength]
}

func digestOf(key string) [sha256.Size]byte { return sha256.Sum256([]byte(key)) }

// signerOf is what signs the sessions of a key. It is made of the key and of nothing else, and kept nowhere.
func signerOf(key string) ed25519.PrivateKey {
	seed := hmac.New(sha256.New, []byte(key))
	seed.Write([]byte("queuetrack: sessions"))
	return ed25519.NewKeyFromSeed(seed.Sum(nil))
}

// verifierOf is what verifies them, and may be read by anybody.
func verifierOf(key string) ed25519.PublicKey {
	public, _ := signerOf(key).Public().(ed25519.PublicKey)
	return public
}
