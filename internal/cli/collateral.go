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

func newCollateralCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "collateral",
		Short: "Collateral: alpha that a miner puts at stake for its promises, and claims against it",
		Long: `A subnet may ask its miners to put own alpha at stake (min_collateral); who has less earns no incentive. Collateral is
stake like any other and earns dividends, but leaves only by unbonding. A validator with a permit may claim that a miner
broke a promise, for a deposit; validators with more than two thirds of the active stake must confirm it within a tempo,
then a part of the collateral is burned. A claim that fails costs its author the deposit.`,
		Example: `  lode collateral show miner-1-hot --netuid 1
  lode collateral lock 10 --netuid 1 --hotkey miner-1-hot --from miner-1
  lode collateral claims 1`,
	}
	cmd.AddCommand(newCollateralShowCommand(), newCollateralListCommand(), newCollateralLockCommand(), newCollateralUnbondCommand(),
		newCollateralClaimCommand(), newCollateralConfirmCommand(), newCollateralAnswerCommand(), newCollateralClaimsCommand())
	return cmd
}

// collateralJSON is what a hotkey has at stake in a subnet.
type collateralJSON struct {
	Netuid     uint32          `json:"netuid"`
	Hotkey     string          `json:"hotkey"`
	Coldkey    string          `json:"coldkey"`
	Bonded     uint64          `json:"bonded_alpha,string"` // counts for min_collateral
	Unbonding  uint64          `json:"unbonding_alpha,string"`
	Unbondings []unbondingJSON `json:"unbondings"`          // oldest first; still at stake
	Frozen     uint64          `json:"frozen_alpha,string"` // by an open claim
	ClaimID    *uint64         `json:"claim_id,string"`     // null: no claim is open against it
	Covered    bool            `json:"covered"`             // it is enough to earn incentive
}

type unbondingJSON struct {
	Alpha     uint64 `json:"alpha,string"`
	DueHeight int64  `json:"due_height"`
	DueTime   string `json:"due_time"` // RFC 3339; both must have passed
}

func newCollateralJSON(netuid uint32, c collateraltypes.CollateralInfo) collateralJSON {
	v := collateralJSON{
		Netuid: netuid, Hotkey: c.Collateral.Hotkey, Coldkey: c.Coldkey, Bonded: c.Collateral.Bonded, Unbonding: c.Unbonding,
		Unbondings: []unbondingJSON{}, Frozen: c.Frozen, Covered: c.Covered,
	}
	for _, u := range c.Collateral.Unbondings {
		v.Unbondings = append(v.Unbondings, unbondingJSON{u.Alpha, u.DueHeight, rfc3339(u.DueTime)})
	}
	if c.ClaimId != 0 {
		v.ClaimID = &c.ClaimId
	}
	return v
}

func newCollateralShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show HOTKEY",
		Short:   "Show what a hotkey has at stake in a subnet, and what the subnet asks for",
		Example: "  lode collateral show miner-1-hot --netuid 1",
		Args:    cobra.ExactArgs(1),
	}
	netuid := netuidFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, hotkey, err := target(cmd, netuid, args[0])
		if err != nil {
			return err
		}
		g := globalsOf(cmd)
		return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
			r, err := c.Collateral().Collateral(ctx, &collateraltypes.QueryCollateralRequest{Netuid: id, Hotkey: hotkey})
			if err != nil {
				return err
			}
			v := struct {
				collateralJSON
				Min      uint64  `json:"min_collateral_alpha,string"` // the subnet's
				Unbond   uint32  `json:"collateral_unbond"`           // blocks
				MaxSlash float64 `json:"max_slash"`                   // of a collateral, by one claim; 0 to 1
			}{newCollateralJSON(id, r.Collateral), r.MinCollateral, r.CollateralUnbond, float64(r.MaxSlash) / takeUnit}
			return output(cmd, v, func(w io.Writer) {
				enough := "enough"
				if !v.Covered {
					enough = "not enough: it earns no incentive"
				}
				claim := "none"
				if v.ClaimID != nil {
					claim = fmt.Sprintf("%d is open, and holds %s alpha", *v.ClaimID, client.FormatAlpha(v.Frozen))
				}
				facts(w, "hotkey", fullKey(hotkey, g.names(ctx)),
					"bonded", fmt.Sprintf("%s alpha, the subnet asks for %s: %s", client.FormatAlpha(v.Bonded), client.FormatAlpha(v.Min), enough),
					"unbonding", client.FormatAlpha(v.Unbonding)+" alpha",
					"claim", claim,
					"terms", fmt.Sprintf("unbonding takes %d blocks, a claim can slash %s", v.Unbond, percentText(v.MaxSlash)))
				for _, u := range v.Unbondings {
					fmt.Fprintf(w, "  %s alpha free from block %d and %s on\n", client.FormatAlpha(u.Alpha), u.DueHeight, u.DueTime)
				}
			})
		})
	}
	return cmd
}

func newCollateralListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list NETUID",
		Short:   "List all collateral of a subnet",
		Example: "  lode collateral list 1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			netuid, err := parseNetuid(args[0])
			if err != nil {
				return err
			}
			g := globalsOf(cmd)
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				list := []collateralJSON{}
				t := newColumns("hotkey", ">bonded", ">unbonding", ">frozen", "covered")
				names := g.names(ctx)
				for req := (&collateraltypes.QueryCollateralsRequest{Netuid: netuid}); ; {
					r, err := c.Collateral().Collaterals(ctx, req)
					if err != nil {
						return err
					}
					for _, info := range r.Collaterals {
						v := newCollateralJSON(netuid, info)
						list = append(list, v)
						t.add(displayKey(v.Hotkey, names), client.FormatAlpha(v.Bonded), client.FormatAlpha(v.Unbonding), client.FormatAlpha(v.Frozen), yesNo(v.Covered))
					}
					if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
						break
					}
				}
				return output(cmd, list, func(w io.Writer) {
					if len(list) == 0 {
						fmt.Fprintf(w, "nobody has collateral in subnet %d\n", netuid)
						return
					}
					t.write(w)
				})
			})
		},
	}
}

// amountOfCollateral makes a command about an amount of alpha of a hotkey.
func amountOfCollateral(use, short, long string, msg func(coldkey, hotkey string, netuid uint32, alpha uint64) sdk.Msg, done func(alpha string, r *client.TxResult) (string, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:     use + " ALPHA",
		Short:   short,
		Long:    long,
		Example: "  lode collateral " + use + " 10 --netuid 1 --hotkey miner-1-hot --from miner-1",
		Args:    cobra.ExactArgs(1),
	}
	netuid := netuidFlag(cmd)
	hotkey := hotkeyFlag(cmd, "hotkey", "the neuron's hotkey (required)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		alpha, err := parseAlpha(args[0], "the amount of alpha")
		if err != nil {
			return err
		}
		id, hot, err := target(cmd, netuid, *hotkey)
		if err != nil {
			return err
		}
		return signAndSendFor(cmd, func(coldkey string) sdk.Msg { return msg(coldkey, hot, id, alpha) },
			func(r *client.TxResult) (string, error) { return done(client.FormatAlpha(alpha), r) })
	}
	return cmd
}

func newCollateralLockCommand() *cobra.Command {
	return amountOfCollateral("lock", "Put alpha that the coldkey has staked on its own hotkey at stake",
		"Locks stake that the coldkey of --from has on its own hotkey. It goes on earning dividends.",
		func(coldkey, hotkey string, netuid uint32, alpha uint64) sdk.Msg {
			return &collateraltypes.MsgLockCollateral{Coldkey: coldkey, Hotkey: hotkey, Netuid: netuid, Alpha: alpha}
		},
		func(alpha string, r *client.TxResult) (string, error) {
			answer, err := client.Response[*collateraltypes.MsgLockCollateralResponse](r)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%s alpha more are at stake, %s in all", alpha, client.FormatAlpha(answer.Bonded)), nil
		})
}

func newCollateralUnbondCommand() *cobra.Command {
	return amountOfCollateral("unbond", "Take collateral back, after the subnet's unbonding time",
		"Begins to unbond. Until it is free the alpha can still be slashed, but does not count for min_collateral any more.",
		func(coldkey, hotkey string, netuid uint32, alpha uint64) sdk.Msg {
			return &collateraltypes.MsgUnbondCollateral{Coldkey: coldkey, Hotkey: hotkey, Netuid: netuid, Alpha: alpha}
		},
		func(alpha string, r *client.TxResult) (string, error) {
			answer, err := client.Response[*collateraltypes.MsgUnbondCollateralResponse](r)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%s alpha are free from block %d and %s on", alpha, answer.DueHeight, rfc3339(answer.DueTime)), nil
		})
}

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
