package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/lodenet/lode/localnet"
	"github.com/spf13/cobra"
)

func newStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show what the running local network has done",
		Long:  "Asks the network that `lode up` runs in --home: height, subnets, neurons, scores, pay.",
		Example: `  lode status
  lode status --json | jq '.subnets[0].neurons[] | {uid, strategy, incentive}'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			g := globalsOf(cmd)
			info, err := localnet.ReadInfo(g.home)
			if err != nil {
				return err
			}
			r, err := fetchStatus(cmd.Context(), info.Endpoints.Status)
			if err != nil {
				return fail("not_running", fmt.Sprintf("start it with `lode up --home %s`", g.home), "the network in %s does not answer: %w", g.home, err)
			}
			if g.json {
				return printJSON(cmd, r)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s at block %d, %s TAO issued\nrpc %s  rest %s\n\n", r.ChainID, r.Height, formatUnits(r.IssuedRao, 3), r.Endpoints.RPC, r.Endpoints.REST)
			_, err = lipgloss.Fprint(cmd.OutOrStdout(), networkTable(r, g.names(cmd.Context()), 0))
			return err
		},
	}
}

// fetchStatus asks a network's status endpoint.
func fetchStatus(ctx context.Context, url string) (localnet.Report, error) {
	var r localnet.Report
	if !strings.HasPrefix(url, "http://") {
		return r, fmt.Errorf("it is not running")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return r, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return r, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return r, fmt.Errorf("it answered %s", resp.Status)
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, 16<<20)).Decode(&r)
	return r, err
}
