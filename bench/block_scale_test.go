package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	sdkmath "cosmossdk.io/math"

	clienttx "github.com/cosmos/cosmos-sdk/client/tx"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"

	"github.com/lodenet/lode/app"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// BenchmarkBlocks are whole blocks of the full chain: FinalizeBlock and Commit, and
// how many bytes the process had written to disk by then, a block.
func BenchmarkBlocks(b *testing.B) {
	for _, kind := range []struct {
		name string
		txs  func(*testing.B, *scaled, int) [][]byte
	}{
		{"empty", func(*testing.B, *scaled, int) [][]byte { return nil }},
		{"epochs", func(b *testing.B, c *scaled, i int) [][]byte { c.due(b, i%c.groups()); return nil }},
		{"weights", func(b *testing.B, c *scaled, _ int) [][]byte { return c.rows(b, 378) }},
	} {
		b.Run(kind.name, func(b *testing.B) {
			c := chainOf(b, full)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var blocks, commits samples
			var written, sent, gas uint64
			var results, attributes int
			data := filepath.Join(c.home, "data", "application.db")
			grown := -diskBytes(b, data)
			for i := range b.N {
				txs := kind.txs(b, c, i)
				before := writtenBytes(b)
				res := c.block(b, txs...)
				written += writtenBytes(b) - before
				results += res.Size()
				for _, e := range res.Events {
					attributes += len(e.Attributes)
				}
				blocks.add(timed().of("internalFinalizeBlock"))
				commits.add(timed().of("Commit"))
				for n, tx := range txs {
					if r := res.TxResults[n+1]; r.Code != 0 {
						b.Fatal(r.Log)
					}
					sent += uint64(len(tx))
					gas += uint64(res.TxResults[n+1].GasUsed)
				}
				if len(txs) > 0 {
					b.ReportMetric(float64(sent)/float64((i+1)*len(txs)), "bytes/tx")
					b.ReportMetric(float64(gas)/float64((i+1)*len(txs)), "gas/tx")
				}
			}
			grown += diskBytes(b, data)
			b.ReportMetric(float64(written)/float64(b.N)/1e6, "written-MB/block")
			b.ReportMetric(float64(grown)/float64(b.N)/1e3, "grown-kB/block")
			b.ReportMetric(float64(results)/float64(b.N)/1e3, "results-kB/block")
			b.ReportMetric(float64(attributes)/float64(b.N), "attributes/block") // of the block's own events: CometBFT indexes each
			blocks.report(b, "finalize")
			commits.report(b, "commit")
		})
	}
}

// BenchmarkState is what the full chain's state costs a node: on disk, in memory, as
// a snapshot, which state sync sends, and as a genesis file.
func BenchmarkState(b *testing.B) {
	c := judged(b, full)
	for range b.N {
		b.ReportMetric(float64(diskBytes(b, filepath.Join(c.home, "data", "application.db")))/1e6, "disk-MB")
		b.ReportMetric(c.memory(b), "heap-MB")

		begin := time.Now()
		snapshot, err := c.SnapshotManager().Create(uint64(c.height))
		must(b, err)
		b.ReportMetric(time.Since(begin).Seconds(), "snapshot-s")
		var chunks [][]byte
		total := 0
		for i := range snapshot.Chunks {
			chunk, err := c.SnapshotManager().LoadChunk(snapshot.Height, snapshot.Format, i)
			must(b, err)
			chunks = append(chunks, chunk)
			total += len(chunk)
		}
		b.ReportMetric(float64(total)/1e6, "snapshot-MB")

		begin = time.Now()
		other := &scaled{scale: c.scale, home: b.TempDir()}
		other.open(b)
		must(b, other.SnapshotManager().Restore(*snapshot))
		for _, chunk := range chunks {
			_, err := other.SnapshotManager().RestoreChunk(chunk)
			must(b, err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "restore-s")
		if got, want := other.LastCommitID().Hash, c.LastCommitID().Hash; !bytes.Equal(got, want) {
			b.Fatalf("restored: %X, the chain's hash is %X", got, want)
		}
		must(b, other.Close())

		begin = time.Now()
		exported, err := c.ExportAppStateAndValidators(false, nil, nil)
		must(b, err)
		b.ReportMetric(time.Since(begin).Seconds(), "export-s")
		if !json.Valid(exported.AppState) {
			b.Fatal("the export is no JSON")
		}
		b.ReportMetric(float64(len(exported.AppState))/1e6, "export-MB")
	}
}

// memory is the heap in use, in MB, once what is left over is gone.
func (c *scaled) memory(b *testing.B) float64 {
	b.Helper()
	c.reopen(b)
	for range 8 {
		c.block(b)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

// diskBytes is how large a folder's files are.
func diskBytes(b *testing.B, dir string) (total int64) {
	b.Helper()
	must(b, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	}))
	return total
}

// writtenBytes is what the process has written to files so far.
func writtenBytes(b *testing.B) uint64 {
	b.Helper()
	raw, err := os.ReadFile("/proc/self/io")
	must(b, err)
	for line := range bytes.Lines(raw) {
		if n, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("wchar: ")); ok {
			total, err := strconv.ParseUint(string(n), 10, 64)
			must(b, err)
			return total
		}
	}
	b.Fatal("/proc/self/io does not tell wchar")
	return 0
}

// rows are transactions of the free lane, each a new row of 256 weights: by all
// validators, in subnets that have not had one for weights_rate_limit blocks.
func (c *scaled) rows(b *testing.B, n int) (txs [][]byte) {
	b.Helper()
	c.round++
	ctx := c.query()
	perValidator := (n + c.scale.validators - 1) / c.scale.validators
	first := c.round * perValidator % (c.scale.subnets - 1)
	for uid := range c.scale.validators {
		key := validatorKey(uid)
		a := c.Account.GetAccount(ctx, sdk.AccAddress(key.PubKey().Address()))
		for k := range perValidator {
			if len(txs) == n {
				return txs
			}
			subnet := (first+k)%(c.scale.subnets-1) + 1 // the last reveals
			msg := &weightstypes.MsgSetWeights{Hotkey: validatorHotkey(uid).String(), Netuid: uint32(subnet)}
			msg.Uids, msg.Values = c.scale.row(subnet, uid, c.round)
			gas, _ := weightstypes.LaneGas(msg)
			raw := c.sign(b, key, a.GetAccountNumber(), a.GetSequence()+uint64(k), gas, 0, msg)
			txs = append(txs, raw)
		}
	}
	if len(txs) < n {
		b.Fatalf("%d rows, %d are asked for", len(txs), n)
	}
	return txs
}

// sign makes a transaction; fee is in rao.
func (c *scaled) sign(b *testing.B, key cryptotypes.PrivKey, account, sequence, gas, fee uint64, msg sdk.Msg) []byte {
	b.Helper()
	builder := c.TxConfig.NewTxBuilder()
	must(b, builder.SetMsgs(msg))
	builder.SetGasLimit(gas)
	if fee > 0 {
		builder.SetFeeAmount(sdk.NewCoins(sdk.NewCoin(app.BaseDenom, sdkmath.NewIntFromUint64(fee))))
	}
	data := authsigning.SignerData{
		Address: sdk.AccAddress(key.PubKey().Address()).String(), ChainID: scaleChainID, AccountNumber: account, Sequence: sequence, PubKey: key.PubKey(),
	}
	empty := &signing.SingleSignatureData{SignMode: signing.SignMode_SIGN_MODE_DIRECT}
	must(b, builder.SetSignatures(signing.SignatureV2{PubKey: key.PubKey(), Sequence: sequence, Data: empty}))
	signature, err := clienttx.SignWithPrivKey(context.Background(), signing.SignMode_SIGN_MODE_DIRECT, data, builder, key, c.TxConfig, sequence)
	must(b, err)
	must(b, builder.SetSignatures(signature))
	raw, err := c.TxConfig.TxEncoder()(builder.GetTx())
	must(b, err)
	return raw
}
