package cli

import (
	"io"
	"os"
)

// smallFile is a kind of file that holds one thing, whose size is known.
type smallFile struct {
	what string // it holds
	code string // of the error of one that can't be read
	most int64  // bytes
}

// The kinds of files that commands are given.
var (
	passphraseFile = smallFile{"passphrase", "passphrase", 4 << 10}
	mnemonicFile   = smallFile{"mnemonic", "mnemonic", 4 << 10} // 24 words need 215 bytes
	keyFile        = smallFile{"key", "key_file", 64 << 10}     // an ML-DSA key's has 9 kB
	proofFile      = smallFile{"proof", "proof_file", 64 << 10}
	txFile         = smallFile{"transaction", "bad_tx", 4 << 20} // a block takes less
	argumentFile   = smallFile{"message", "bad_value", 4 << 20}
)

// read reads a file; - is standard input where that is given. flag names it in errors.
func (k smallFile) read(stdin io.Reader, file, flag string) ([]byte, error) {
	in := stdin
	if file != "-" || stdin == nil {
		f, err := os.Open(file)
		if err != nil {
			return nil, fail(k.code, "name a file that can be read", "%s: %w", flag, err)
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, k.most+1))
	if err != nil {
		return nil, fail(k.code, "name a file that can be read", "%s: %w", flag, err)
	}
	if int64(len(raw)) > k.most {
		return nil, fail(k.code, "name the file of one "+k.what, "%s: %s is larger than any %s, %d bytes", flag, file, k.what, k.most)
	}
	return raw, nil
}
