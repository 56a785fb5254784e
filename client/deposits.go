package client

import (
	"context"
	"fmt"
	"math/bits"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
)

// ProposalDeposits is what an account has put on proposals that are not decided, in rao. It
// comes back unless they are vetoed.
func (c *Client) ProposalDeposits(ctx context.Context, depositor string) (rao uint64, err error) {
	for req := (&govtypes.QueryProposalsRequest{Depositor: depositor}); ; {
		r, err := c.Gov().Proposals(ctx, req)
		if err != nil {
			return 0, err
		}
		for _, p := range r.Proposals {
			d, err := c.Gov().Deposit(ctx, &govtypes.QueryDepositRequest{ProposalId: p.Id, Depositor: depositor})
			if err != nil {
				return 0, err
			}
			more := sdk.Coins(d.Deposit.Amount).AmountOf(Denom)
			if !more.IsUint64() {
				return 0, fmt.Errorf("the chain tells a deposit that is none: %s", more)
			}
			var over uint64
			if rao, over = bits.Add64(rao, more.Uint64(), 0); over > 0 {
				return 0, fmt.Errorf("the chain tells deposits of more than there can be: %s and more", more)
			}
		}
		if r.Pagination == nil || len(r.Pagination.NextKey) == 0 {
			return rao, nil
		}
		req.Pagination = &query.PageRequest{Key: r.Pagination.NextKey}
	}
}
