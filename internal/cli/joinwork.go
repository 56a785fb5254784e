package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/subnet"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// work is what a hotkey does in a subnet: what differs between subnets' miners and
// validators.
type work struct {
	subnet    string // its name in protocols
	version   uint64 // of its measure
	limits    mesh.HandlerOptions
	miner     subnet.Miner     // of a miner
	validator subnet.Validator // of a validator
	gateway   http.Handler     // that a validator serves
	state     string           // file of a validator's averages and open commits; empty: in the home
	sells     *wares           // nil: it can't sell
}

// addState adds the flag of [work.state].
func addState(cmd *cobra.Command, state *string) {
	cmd.Flags().StringVar(state, "state", "", "file that keeps averages and open commits (default: in --home)")
}

// in makes a subnet the default.
func (f *joinFlags) in(cmd *cobra.Command, netuid string) {
	cmd.Flags().Lookup("netuid").DefValue = netuid
	f.netuid = netuid
}

// parameters are the subnet's own, which say what its validators measure by.
func (f *joinFlags) parameters(ctx context.Context, c *client.Client) ([]byte, error) {
	netuid, err := parseNetuid(f.netuid)
	if err != nil {
		return nil, err
	}
	s, err := c.Subnets().Subnet(ctx, &subnetstypes.QuerySubnetRequest{Netuid: netuid})
	if err != nil {
		return nil, err
	}
	return []byte(s.Subnet.Parameters), nil
}

// work joins the subnet and works, and sells where there is something to sell, until the
// command is interrupted.
func (f *joinFlags) work(cmd *cobra.Command, c *client.Client, log *slog.Logger, w work) (_ subnet.Stats, err error) {
	ctx, g := cmd.Context(), globalsOf(cmd)
	none := subnet.Stats{}
	j, err := f.join(ctx, cmd, c, log, w.subnet, fmt.Sprint(w.version))
	if err != nil {
		return none, err
	}
	defer func() { err = errors.Join(err, j.host.Close()) }()
	j.common.Limits = w.limits
	var node interface {
		Run(context.Context) error
		Stats() subnet.Stats
	}
	if w.miner != nil {
		node, err = subnet.NewMinerNode(subnet.MinerConfig{Common: j.common, Miner: w.miner})
	} else {
		node, err = j.validator(g, w)
	}
	if err != nil {
		return none, err
	}
	sell := func(context.Context) error { return nil }
	if w.sells != nil {
		if sell, err = g.selling(ctx, c, j, *w.sells); err != nil {
			return none, err
		}
	}
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return node.Run(ctx) })
	both.Go(func() error { return sell(ctx) })
	if err := both.Wait(); err != nil {
		return none, err
	}
	return node.Stats(), nil
}

func (j *joined) validator(g *globals, w work) (*subnet.ValidatorNode, error) {
	if w.state == "" {
		w.state = filepath.Join(g.home, "state", fmt.Sprintf("%s-%s-%d.json", j.name, j.chain, j.common.Netuid))
		if err := os.MkdirAll(filepath.Dir(w.state), 0o700); err != nil {
			return nil, err
		}
	}
	return subnet.NewValidatorNode(subnet.ValidatorConfig{
		Common: j.common, Validator: w.validator, Handler: w.gateway, StateFile: w.state, WeightsVersion: w.version,
	})
}

// run connects, and checks whether the hotkey can be reached or works until it is
// interrupted, which is how it ends well. work returns what was done.
func (f *joinFlags) run(cmd *cobra.Command, work func(c *client.Client) (subnet.Stats, error)) error {
	g := globalsOf(cmd)
	if f.check {
		return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
			return f.checkReach(ctx, cmd, c)
		})
	}
	c, err := g.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := work(c)
	if err != nil {
		return err
	}
	return output(cmd, s, func(w io.Writer) {
		uid := "no uid"
		if s.UID != nil {
			uid = fmt.Sprintf("uid %d", *s.UID)
		}
		fmt.Fprintf(w, "stopped at block %d: %s, %d jobs", s.Height, uid, s.Jobs)
		if s.Rounds+s.Failed > 0 {
			fmt.Fprintf(w, ", %d rounds, weights sent %d times", s.Rounds, s.Sent)
		}
		fmt.Fprintln(w)
	})
}
