package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/client"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/spf13/cobra"
)

// sealed is what must be kept to reveal sealed data.
type sealed struct {
	Data []byte `json:"data"`
	Salt []byte `json:"salt"`
}

// sealedFile is where the data that a hotkey sealed in a subnet wait for their reveal.
func sealedFile(home, chainID string, netuid uint32, hotkey string) string {
	return filepath.Join(home, "state", fmt.Sprintf("sealed-%s-%s-%d.json", hotkey, chainID, netuid))
}

func newNeuronPublishCommand() *cobra.Command {
	var hotkey, file string
	var seal bool
	cmd := &cobra.Command{
		Use:   "publish [DATA]",
		Short: "Keep up to 512 bytes of a neuron on chain: a digest, an address, a repository",
		Long: `Publishes data of a neuron, in place of what it had. With --sealed only a hash goes on chain: the data and their salt
are kept in HOME/state, and ` + "`lode neuron reveal`" + ` publishes them later. Both blocks stay on record, which proves who had
them first. How much a neuron may publish in a tempo is limited.`,
		Example: `  lode neuron publish https://example.org/model --netuid 1 --hotkey miner-4
  lode neuron publish --file digest.bin --sealed --netuid 1 --hotkey miner-4`,
		Args: cobra.MaximumNArgs(1),
	}
	netuid := netuidFlag(cmd)
	cmd.Flags().StringVar(&hotkey, "hotkey", "", "the neuron's hotkey, in the wallet (required)")
	cmd.Flags().StringVar(&file, "file", "", "read the data from a file; - is standard input")
	cmd.Flags().BoolVar(&seal, "sealed", false, "publish only their hash now")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := netuid()
		if err != nil {
			return err
		}
		data, err := publishedData(cmd, args, file)
		if err != nil {
			return err
		}
		if !seal {
			return signAndSendAsHotkey(cmd, hotkey, func(_ context.Context, _ *client.Client, hot string) (sdk.Msg, error) {
				return &subnetstypes.MsgPublish{Hotkey: hot, Netuid: id, Data: data}, nil
			}, fmt.Sprintf("%d bytes are published", len(data)))
		}
		return signAndSendAsHotkey(cmd, hotkey, func(ctx context.Context, c *client.Client, hot string) (sdk.Msg, error) {
			salt := make([]byte, 32)
			rand.Read(salt) // never fails
			chainID, err := c.ChainID(ctx)
			if err != nil {
				return nil, err
			}
			addr, err := sdk.AccAddressFromBech32(hot)
			if err != nil {
				return nil, err
			}
			// Kept before it is sent: what is on chain can always be revealed.
			if err := keepSealed(sealedFile(globalsOf(cmd).home, chainID, id, hot), sealed{data, salt}); err != nil {
				return nil, err
			}
			hash := subnetstypes.PublishHash(chainID, uint16(id), addr, data, salt)
			return &subnetstypes.MsgPublishSealed{Hotkey: hot, Netuid: id, Hash: hash[:]}, nil
		}, fmt.Sprintf("%d bytes are sealed; `lode neuron reveal --netuid %d --hotkey %s` publishes them", len(data), id, hotkey))
	}
	return cmd
}

// publishedData reads what to publish from the argument or a file.
func publishedData(cmd *cobra.Command, args []string, file string) (data []byte, err error) {
	switch {
	case (len(args) == 1) == (file != ""):
		return nil, fail(codeUsage, "see `lode neuron publish --help`", "give DATA or --file")
	case file == "-":
		data, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), subnetstypes.MaxData+1))
	case file != "":
		data, err = os.ReadFile(file)
	default:
		data = []byte(args[0])
	}
	if err == nil && (len(data) == 0 || len(data) > subnetstypes.MaxData) {
		err = fail("bad_data", "publish a digest or an address of it", "the data are %d bytes, may be 1 to %d", len(data), subnetstypes.MaxData)
	}
	return data, err
}

func keepSealed(path string, s sealed) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// The former ones stay beside it: they may be on chain already.
	if err := os.Rename(path, path+".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, raw, 0o600)
}

func newNeuronRevealCommand() *cobra.Command {
	var hotkey string
	cmd := &cobra.Command{
		Use:     "reveal",
		Short:   "Publish what `lode neuron publish --sealed` sealed",
		Example: "  lode neuron reveal --netuid 1 --hotkey miner-4",
		Args:    cobra.NoArgs,
	}
	netuid := netuidFlag(cmd)
	cmd.Flags().StringVar(&hotkey, "hotkey", "", "the neuron's hotkey, in the wallet (required)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		id, err := netuid()
		if err != nil {
			return err
		}
		return signAndSendAsHotkey(cmd, hotkey, func(ctx context.Context, c *client.Client, hot string) (sdk.Msg, error) {
			chainID, err := c.ChainID(ctx)
			if err != nil {
				return nil, err
			}
			path := sealedFile(globalsOf(cmd).home, chainID, id, hot)
			raw, err := os.ReadFile(path)
			if errors.Is(err, os.ErrNotExist) {
				return nil, fail("nothing_sealed", "reveal on the machine that sealed; `lode tx subnets reveal-published` takes data and salt", "%s is not there", path)
			}
			if err != nil {
				return nil, err
			}
			var s sealed
			if err := json.Unmarshal(raw, &s); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			return &subnetstypes.MsgRevealPublished{Hotkey: hot, Netuid: id, Data: s.Data, Salt: s.Salt}, nil
		}, "what was sealed is published")
	}
	return cmd
}

// publishedJSON is what a neuron keeps on chain.
type publishedJSON struct {
	UID          uint32 `json:"uid"`
	Hotkey       string `json:"hotkey"` // who published or sealed it
	Data         []byte `json:"data"`   // base64; null while sealed
	Hash         string `json:"hash"`   // of sealed data, hex; empty if it was published plain
	SealedHeight *int64 `json:"sealed_height"`
	Height       *int64 `json:"height"` // block of data; null while sealed
}

func newPublishedJSON(p subnetstypes.Published) publishedJSON {
	return publishedJSON{p.Uid, p.Hotkey, p.Data, hex.EncodeToString(p.Hash), orNull(p.SealedHeight), orNull(p.Height)}
}

func newNeuronPublishedCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "published NETUID",
		Short: "List what a subnet's neurons keep on chain",
		Example: `  lode neuron published 1
  lode neuron published 1 --json | jq -r '.[] | select(.uid == 3).data' | base64 -d`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			netuid, err := parseNetuid(args[0])
			if err != nil {
				return err
			}
			g := globalsOf(cmd)
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				list := []publishedJSON{}
				t := newColumns(">uid", "hotkey", ">sealed at", ">block", "data")
				names := g.names(ctx)
				for req := (&subnetstypes.QueryAllPublishedRequest{Netuid: netuid}); ; {
					r, err := c.Subnets().AllPublished(ctx, req)
					if err != nil {
						return err
					}
					for _, p := range r.Published {
						v := newPublishedJSON(p)
						list = append(list, v)
						t.add(fmt.Sprint(v.UID), displayKey(v.Hotkey, names), blockText(v.SealedHeight), blockText(v.Height), v.text())
					}
					if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
						break
					}
				}
				return output(cmd, list, func(w io.Writer) {
					if len(list) == 0 {
						fmt.Fprintf(w, "no neuron of subnet %d has published anything\n", netuid)
						return
					}
					t.write(w)
				})
			})
		},
	}
}

// text shows data as text where they are some, else in hex; strangers wrote them.
func (v *publishedJSON) text() string {
	if len(v.Data) == 0 {
		return "sealed " + v.Hash
	}
	if utf8.Valid(v.Data) {
		return fmt.Sprintf("%q", v.Data)
	}
	return hex.EncodeToString(v.Data)
}
