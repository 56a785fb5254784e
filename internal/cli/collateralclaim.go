package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/client"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/spf13/cobra"
)

func newCollateralClaimCommand() *cobra.Command {
	var accused, hotkey, share, file, url string
	cmd := &cobra.Command{
		Use:   "claim",
		Short: "Claim that a miner broke its promise, for a deposit; a validator with a permit",
		Long: `Opens a claim against a miner's collateral. The coldkey of --from, whose hotkey has a permit, pays the deposit: it comes
back if the claim passes, else it is burned. The evidence's SHA-256 goes on chain, with an address where it can be read.
Confirm it too: opening alone counts for nothing.`,
		Example: `  lode collateral claim --netuid 1 --against miner-1-hot --share 10% --evidence audit.json --url https://example.org/audit.json --hotkey validator-1-hot --from validator-1`,
		Args:    cobra.NoArgs,
	}
	netuid := netuidFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&accused, "against", "", "the accused hotkey (required)")
	f.StringVar(&hotkey, "hotkey", "", "the validator's hotkey (required)")
	f.StringVar(&share, "share", "", "the part of the collateral to slash, at most the subnet's max_slash (required)")
	f.StringVar(&file, "evidence", "", "the evidence's file, of which the hash goes on chain (required)")
	f.StringVar(&url, "url", "", "where others can read it")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if accused == "" || share == "" || file == "" {
			return fail(codeUsage, "see `lode collateral claim --help`", "give --against, --share and --evidence")
		}
		id, by, err := target(cmd, netuid, hotkey)
		if err != nil {
			return err
		}
		whom, err := globalsOf(cmd).hotkeyAddress(cmd.Context(), accused)
		if err != nil {
			return err
		}
		part, err := parsePercent(share, "--share", 100)
		if err != nil {
			return err
		}
		hash, err := hashOfFile(file)
		if err != nil {
			return err
		}
		msg := &collateraltypes.MsgOpenClaim{Hotkey: by, Netuid: id, Accused: whom, Share: uint32(part*takeUnit + 0.5), EvidenceHash: hash, EvidenceUrl: url}
		if msg.Uid, err = uidOf(cmd, id, whom); err != nil {
			return err
		}
		return signAndSendFor(cmd, func(coldkey string) sdk.Msg { msg.Coldkey = coldkey; return msg }, func(r *client.TxResult) (string, error) {
			answer, err := client.Response[*collateraltypes.MsgOpenClaimResponse](r)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("claim %d holds %s alpha; it must be confirmed by block %d: `lode collateral confirm %d`",
				answer.ClaimId, client.FormatAlpha(answer.Frozen), answer.LastHeight, answer.ClaimId), nil
		})
	}
	return cmd
}

func uidOf(cmd *cobra.Command, netuid uint32, hotkey string) (uid uint32, err error) {
	err = withNetwork(cmd.Context(), globalsOf(cmd), queryTimeout, func(ctx context.Context, c *client.Client) error {
		r, err := c.Subnets().Neuron(ctx, &subnetstypes.QueryNeuronRequest{Netuid: netuid, Hotkey: hotkey})
		if err == nil {
			uid = r.Neuron.Uid
		}
		return err
	})
	return uid, err
}

func hashOfFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

func parseClaim(s string) (uint64, error) {
	id, err := strconv.ParseUint(s, 10, 64)
	if err != nil || id == 0 {
		return 0, fail(codeUsage, "`lode collateral claims NETUID` shows them", "%q is no claim's number", s)
	}
	return id, nil
}

func newCollateralConfirmCommand() *cobra.Command {
	var hotkey string
	cmd := &cobra.Command{
		Use:     "confirm CLAIM",
		Short:   "Confirm a claim with a validator's stake",
		Long:    "Counts the stake that the validator had when the claim was opened. Look at the evidence, and at the answer, first.",
		Example: "  lode collateral confirm 3 --hotkey validator-1-hot --from validator-1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseClaim(args[0])
			if err != nil {
				return err
			}
			return signAndSendAsHotkey(cmd, hotkey, func(_ context.Context, _ *client.Client, hot string) (sdk.Msg, error) {
				return &collateraltypes.MsgConfirmClaim{Hotkey: hot, ClaimId: id}, nil
			}, fmt.Sprintf("claim %d is confirmed by %s", id, hotkey))
		},
	}
	cmd.Flags().StringVar(&hotkey, "hotkey", "", "the validator's hotkey, in the wallet (required)")
	return cmd
}

func newCollateralAnswerCommand() *cobra.Command {
	var file, url string
	cmd := &cobra.Command{
		Use:     "answer CLAIM",
		Short:   "Answer a claim; the accused's coldkey",
		Example: "  lode collateral answer 3 --file answer.json --url https://example.org/answer.json --from miner-1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseClaim(args[0])
			if err != nil {
				return err
			}
			if file == "" {
				return fail(codeUsage, "see `lode collateral answer --help`", "give --file")
			}
			hash, err := hashOfFile(file)
			if err != nil {
				return err
			}
			return signAndSend(cmd, func(coldkey string) sdk.Msg {
				return &collateraltypes.MsgAnswerClaim{Signer: coldkey, ClaimId: id, Hash: hash, Url: url}
			}, fmt.Sprintf("claim %d has its answer", id))
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "the answer's file, of which the hash goes on chain (required)")
	cmd.Flags().StringVar(&url, "url", "", "where others can read it")
	return cmd
}

// collateralClaimJSON is an open claim.
type collateralClaimJSON struct {
	ID           uint64  `json:"id,string"`
	Netuid       uint32  `json:"netuid"`
	UID          uint32  `json:"uid"` // of the accused, at the opening
	Accused      string  `json:"accused"`
	Author       string  `json:"author"`
	Share        float64 `json:"share"` // of the collateral, 0 to 1
	Frozen       uint64  `json:"frozen_alpha,string"`
	DepositRao   uint64  `json:"deposit_rao,string"`
	EvidenceHash string  `json:"evidence_hash"` // SHA-256, hex
	EvidenceURL  string  `json:"evidence_url"`
	AnswerHash   string  `json:"answer_hash"`
	AnswerURL    string  `json:"answer_url"`
	OpenedHeight int64   `json:"opened_height"`
	LastHeight   int64   `json:"last_height"` // in which it can be confirmed
	Confirmed    float64 `json:"confirmed"`   // of the active stake, 0 to 1; more than 2/3 slashes
}

func newCollateralClaimsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "claims NETUID",
		Short:   "List the open claims of a subnet",
		Example: "  lode collateral claims 1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			netuid, err := parseNetuid(args[0])
			if err != nil {
				return err
			}
			g := globalsOf(cmd)
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				r, err := c.Collateral().Claims(ctx, &collateraltypes.QueryClaimsRequest{Netuid: netuid})
				if err != nil {
					return err
				}
				list := []collateralClaimJSON{}
				t := newColumns(">claim", "accused", "author", ">share", ">frozen", ">confirmed", ">until block", "evidence")
				names := g.names(ctx)
				for _, p := range r.Claims {
					v := collateralClaimJSON{
						ID: p.Id, Netuid: p.Netuid, UID: p.Uid, Accused: p.Accused, Author: p.Author, Share: float64(p.Share) / takeUnit, Frozen: p.Frozen,
						DepositRao: p.Deposit, EvidenceHash: hex.EncodeToString(p.EvidenceHash), EvidenceURL: p.EvidenceUrl,
						AnswerHash: hex.EncodeToString(p.AnswerHash), AnswerURL: p.AnswerUrl, OpenedHeight: p.OpenedHeight, LastHeight: p.LastHeight,
					}
					if p.Active > 0 {
						v.Confirmed = float64(p.Confirmed) / float64(p.Active)
					}
					list = append(list, v)
					t.add(fmt.Sprint(v.ID), displayKey(v.Accused, names), displayKey(v.Author, names), percentText(v.Share), client.FormatAlpha(v.Frozen),
						percentText(v.Confirmed), fmt.Sprint(v.LastHeight), fmt.Sprintf("%q", v.EvidenceURL))
				}
				return output(cmd, list, func(w io.Writer) {
					if len(list) == 0 {
						fmt.Fprintf(w, "no claim is open in subnet %d\n", netuid)
						return
					}
					t.write(w)
				})
			})
		},
	}
}
