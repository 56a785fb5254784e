package app

import (
	"slices"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"cosmossdk.io/core/address"

	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
)

// rememberedAddresses is how many addresses are kept in both forms: all hotkeys of 128 full
// subnets, and their coldkeys.
const rememberedAddresses = 1 << 16

// addresses is an address codec that remembers: Bech32's checksums are a tenth of what a
// block with epochs costs, and of a metagraph a sixth.
type addresses struct {
	address.Codec
	mu    sync.Mutex
	bytes *simplelru.LRU[string, []byte]
	texts *simplelru.LRU[string, string]
}

func newAddresses(prefix string) address.Codec {
	bytes, err := simplelru.NewLRU[string, []byte](rememberedAddresses, nil)
	if err != nil {
		panic(err) // a size of 0
	}
	texts, err := simplelru.NewLRU[string, string](rememberedAddresses, nil)
	if err != nil {
		panic(err)
	}
	return &addresses{Codec: addresscodec.NewBech32Codec(prefix), bytes: bytes, texts: texts}
}

// StringToBytes implements [address.Codec]. The bytes are the caller's.
func (a *addresses) StringToBytes(text string) ([]byte, error) {
	a.mu.Lock()
	bz, ok := a.bytes.Get(text)
	a.mu.Unlock()
	if ok {
		return slices.Clone(bz), nil
	}
	bz, err := a.Codec.StringToBytes(text)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bytes.Add(text, slices.Clone(bz))
	return bz, nil
}

// BytesToString implements [address.Codec].
func (a *addresses) BytesToString(bz []byte) (string, error) {
	a.mu.Lock()
	text, ok := a.texts.Get(string(bz))
	a.mu.Unlock()
	if ok {
		return text, nil
	}
	text, err := a.Codec.BytesToString(bz)
	if err != nil {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.texts.Add(string(bz), text)
	return text, nil
}
