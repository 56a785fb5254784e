// Package wallet keeps the keys of a person or a process: coldkeys, which own funds,
// and hotkeys, which work.
//
//	w, err := wallet.Open(dir, askPassphrase)
//	key, mnemonic, err := w.Create("alice", wallet.Coldkey) // show the mnemonic once
//	signer, err := w.Signer("alice")
//
// Keys are secp256k1 keys on the path m/44'/118'/0'/0/0 of a BIP-39 mnemonic, as in
// every wallet of the ecosystem, or, for coldkeys, ML-DSA-65 keys with that one as their
// seed. They are encrypted in a folder keyring-file in the format of the Cosmos SDK's
// `file` backend. Beside it keys.json says which keys there are, of what kind and with
// what address, so that [Wallet.List] and [Wallet.Get] need no passphrase; also those
// that are elsewhere: on a Ledger, watched only, or accounts of several keys. book.json
// is the address book.
//
// What it guarantees: a key is never overwritten or deleted; nothing is written
// before the passphrase is known to be right; a wrong one is [ErrWrongPassphrase], at
// once; folders have mode 0700, files 0600; several processes may use one wallet.
package wallet
