package pay

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/lodenet/lode/pay/x402"
	"github.com/lodenet/lode/voucher"
)

// keyFile is where a channel's session key is.
func (c *Client) keyFile(public []byte) string {
	return filepath.Join(c.cfg.Dir, "keys", fmt.Sprintf("%x.key", public))
}

// sign makes the voucher that says so much. c.mu is held.
func (c *Client) sign(ch *clientChannel, cumulative uint64) (x402.Voucher, error) {
	if ch.key == nil {
		key, err := readKey(c.keyFile(ch.SessionKey), ch.SessionKey)
		if err != nil {
			return x402.Voucher{}, err
		}
		ch.key = key
	}
	v := voucher.Voucher{ChannelID: ch.ID, Cumulative: cumulative}
	return x402.Voucher{ChannelID: hex.EncodeToString(ch.ID), MaxClaimableAmount: x402.Amount(cumulative),
		Signature: hex.EncodeToString(v.Sign(c.chainID, ch.key))}, nil
}

// readKey reads a session key, which no one else may be able to.
func readKey(file string, public []byte) (ed25519.PrivateKey, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the session key %s is lost: close its channel and open another", file)
	}
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("the session key %s can be read by others (mode %04o): chmod 600 it", file, mode)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	seed := make([]byte, ed25519.SeedSize)
	if n, err := hex.Decode(seed, trim(raw)); err != nil || n != len(seed) {
		return nil, fmt.Errorf("the session key %s is damaged: close its channel and open another", file)
	}
	key := ed25519.NewKeyFromSeed(seed)
	if !slices.Equal(key.Public().(ed25519.PublicKey), ed25519.PublicKey(public)) {
		return nil, fmt.Errorf("the session key %s is of another channel", file)
	}
	return key, nil
}

func trim(raw []byte) []byte {
	if len(raw) > 2*ed25519.SeedSize && raw[2*ed25519.SeedSize] == '\n' {
		return raw[:2*ed25519.SeedSize]
	}
	return raw[:min(len(raw), 2*ed25519.SeedSize)]
}

// newKey makes a session key and keeps it, before anything is paid into its channel.
func (c *Client) newKey() ([]byte, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	file := c.keyFile(public)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(hex.EncodeToString(key.Seed()) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	return public, nil
}
