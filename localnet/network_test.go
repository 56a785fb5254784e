package localnet_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// await waits for a report that satisfies a condition, for three minutes at most.
func await(t *testing.T, n *localnet.Network, what string, ok func(localnet.Report) bool) localnet.Report {
	t.Helper()
	timeout := time.NewTimer(3 * time.Minute)
	defer timeout.Stop()
	reports := n.Reports(t.Context())
	for {
		select {
		case r := <-reports:
			if ok(r) {
				return r
			}
		case <-timeout.C:
			t.Fatalf("%s: not within 3 minutes; the last report is %+v", what, n.Report())
		}
	}
}

// neuron finds a report's neuron of the first subnet by its key's name.
func neuron(t *testing.T, n *localnet.Network, r localnet.Report, name string) localnet.NeuronReport {
	t.Helper()
	return neuronOf(t, n, r.Subnets[0], name)
}

func neuronOf(t *testing.T, n *localnet.Network, s localnet.SubnetReport, name string) localnet.NeuronReport {
	t.Helper()
	key, err := n.Wallet().Get(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range s.Neurons {
		if m.Hotkey == key.Address {
			return m
		}
	}
	t.Fatalf("%s is no neuron of %+v", name, s)
	return localnet.NeuronReport{}
}

// TestANetworkPaysForCompression runs the whole thing: it pays, it stops quickly, it
// continues where it was, and what it pays follows the strategies, not the names.
func TestANetworkPaysForCompression(t *testing.T) {
	home := t.TempDir()
	n, stop := localnettest.StartStoppable(t, localnet.Config{Home: home})
	paid := await(t, n, "all miners and validators are paid", func(r localnet.Report) bool {
		return r.FirstPaidSeconds != nil && !slices.ContainsFunc(r.Subnets[0].Neurons, func(m localnet.NeuronReport) bool {
			return m.Role == localnet.RoleMiner && (m.EmissionAlpha == 0 || m.Score == nil) ||
				m.Role == localnet.RoleValidator && (m.EmissionAlpha == 0 || m.Dividends == 0) // a slow machine may miss an epoch
		})
	})
	t.Logf("first paid after %.1f s", *paid.FirstPaidSeconds)
	swapped, user := swapColdkey(t, n, "miner-2")
	if *paid.FirstPaidSeconds > 90 {
		t.Errorf("the first miner was paid after %.1f s, must be within 90 s", *paid.FirstPaidSeconds)
	}
	checkReport(t, n, paid)
	await(t, n, "the better strategy earns more", func(r localnet.Report) bool {
		return neuron(t, n, r, "miner-3-hot").Incentive > neuron(t, n, r, "miner-1-hot").Incentive
	})
	checkStatus(t, n)
	checkShop(t, n)
	await(t, n, "the miner's coldkey is swapped", func(localnet.Report) bool {
		owner, err := n.Client().ColdkeyOf(t.Context(), swapped)
		require.NoError(t, err)
		return owner == user
	})

	began := time.Now()
	stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %v, must be within 5 s", took)
	}
	last := n.Report()

	n = localnettest.Start(t, localnet.Config{Home: home, Strategies: []string{"search", "x265", "x264"}})
	again := await(t, n, "a report of the second run", func(localnet.Report) bool { return true })
	if again.ChainID != last.ChainID || again.Height <= last.Height || again.Subnets[0].Epochs < last.Subnets[0].Epochs {
		t.Errorf("the second run is at block %d, epoch %d of %s; the first ended at block %d, epoch %d of %s",
			again.Height, again.Subnets[0].Epochs, again.ChainID, last.Height, last.Subnets[0].Epochs, last.ChainID)
	}
	if *again.FirstPaidSeconds != *last.FirstPaidSeconds || n.Info().Endpoints.RPC != last.Endpoints.RPC {
		t.Errorf("the second run forgot when the first miner was paid, or its ports: %+v", n.Info())
	}
	await(t, n, "swapped strategies swap the incentive", func(r localnet.Report) bool {
		return neuron(t, n, r, "miner-1-hot").Incentive > neuron(t, n, r, "miner-3-hot").Incentive
	})
}

// swapColdkey announces that all that a member of the cast has moves to the user's coldkey;
// the network goes on with it, also when it starts again.
func swapColdkey(t *testing.T, n *localnet.Network, name string) (hotkey, user string) {
	t.Helper()
	cold, err := n.Wallet().Signer(name)
	require.NoError(t, err)
	hot, err := n.Wallet().Get(name + "-hot")
	require.NoError(t, err)
	to, err := n.Wallet().Get(localnet.UserKey)
	require.NoError(t, err)
	_, err = n.Client().Send(t.Context(), []*wallet.Signer{cold}, &alphatypes.MsgAnnounceColdkeySwap{Coldkey: cold.Address(), NewColdkey: to.Address})
	require.NoError(t, err)
	return hot.Address, to.Address
}

func checkReport(t *testing.T, n *localnet.Network, r localnet.Report) {
	t.Helper()
	roles := map[string]int{}
	for _, m := range r.Subnets[0].Neurons {
		roles[m.Role]++
		if m.Role == localnet.RoleOwner {
			continue
		}
		// Every job crosses libp2p: the hosts' own counters say so.
		if m.BytesIn == nil || *m.BytesIn == 0 || *m.BytesOut == 0 || *m.Jobs == 0 {
			t.Errorf("no bytes or jobs over the mesh: %+v", m)
		}
	}
	if roles[localnet.RoleOwner] != 1 || roles[localnet.RoleValidator] != 2 || roles[localnet.RoleMiner] != 3 {
		t.Errorf("roles %v", roles)
	}
	if r.IssuedRao <= 1_000_000*localnet.TAO || r.Subnets[0].Price <= 0 || r.Subnets[0].Name != "video" {
		t.Errorf("report %+v", r)
	}
	if v := neuron(t, n, r, "validator-2-hot"); v.Dividends <= 0 || v.EmissionAlpha == 0 {
		t.Errorf("validator 2 got nothing: %+v", v)
	}
}

// checkShop looks into the catalogue: the second validator's customers pay, and its hotkey
// has the fees of redeeming.
func checkShop(t *testing.T, n *localnet.Network) {
	t.Helper()
	seller, err := n.Wallet().Get("validator-2-hot")
	if err != nil {
		t.Fatal(err)
	}
	r, err := n.Client().Market().Services(t.Context(), &markettypes.QueryServicesRequest{Netuid: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Services) != 1 || r.Services[0].Hotkey != seller.Address || r.Services[0].Service.Unit != markettypes.UNIT_VIDEO_MINUTE || r.Services[0].Service.Price != localnet.TAO/100 {
		t.Errorf("the catalogue has %+v", r.Services)
	}
	if has, err := n.Client().Balance(t.Context(), seller.Address); err != nil || has < localnet.TAO/2 {
		t.Errorf("the seller's hotkey has %d rao, %v", has, err)
	}
}

// checkStatus reads the status endpoint as a program does.
func checkStatus(t *testing.T, n *localnet.Network) {
	t.Helper()
	get := func(host string) (int, map[string]any) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.Info().Endpoints.Status, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			req.Host = host
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var body map[string]any
		if resp.StatusCode == http.StatusOK {
			if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
		}
		return resp.StatusCode, body
	}
	code, body := get("")
	if code != http.StatusOK {
		t.Fatalf("status %d", code)
	}
	if _, ok := body["issued_rao"].(string); !ok {
		t.Errorf("issued_rao is %T, must be a decimal string", body["issued_rao"])
	}
	if s := body["subnets"].([]any)[0].(map[string]any)["neurons"].([]any)[0].(map[string]any); s["strategy"] != nil || s["score"] != nil {
		t.Errorf("the owner has strategy %v and score %v, must be null", s["strategy"], s["score"])
	}
	if code, _ := get("evil.example:80"); code != http.StatusMisdirectedRequest {
		t.Errorf("a request for another host got status %d", code)
	}
}
