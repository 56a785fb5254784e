package console_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/console"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
)

func TestNeuronsAsCSVAreTheNeuronsOfJSON(t *testing.T) {
	last := int64(40)
	neurons := []console.Neuron{
		console.NewNeuron(&emissiontypes.MetagraphNeuron{Uid: 0, Hotkey: "lode1a", Coldkey: "lode1b", Owner: true, Permit: true, StakeAlpha: 1 << 63, PruningRank: 7}),
		console.NewNeuron(&emissiontypes.MetagraphNeuron{Uid: 4095, Hotkey: "lode1c", Coldkey: "lode1d", Incentive: 1 << 31, LastUpdate: last, PruningRank: 3,
			Endpoints: []string{"https://a.example", "/dns/b.example/tcp/1"}, Destination: "lode1e"}),
	}
	require.Nil(t, neurons[0].PruningRank, "an owner is never replaced")
	require.Equal(t, "lode1a", neurons[0].Destination, "who names nobody is paid itself")
	require.Equal(t, &last, neurons[1].LastUpdateHeight)
	var b strings.Builder
	require.NoError(t, console.WriteNeurons(&b, neurons))
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 3)
	for i, n := range neurons {
		raw, err := json.Marshal(n)
		require.NoError(t, err)
		var fields map[string]any
		dec := json.NewDecoder(strings.NewReader(string(raw)))
		dec.UseNumber()
		require.NoError(t, dec.Decode(&fields))
		require.Len(t, rows[0], len(fields), "a column a field")
		for c, name := range rows[0] {
			want := ""
			switch v := fields[name].(type) {
			case nil:
				require.Contains(t, fields, name)
			case string:
				want = v
			case json.Number:
				want = v.String()
			case bool:
				want = map[bool]string{true: "true", false: "false"}[v]
			case []any:
				parts := []string{}
				for _, p := range v {
					parts = append(parts, p.(string))
				}
				want = strings.Join(parts, " ")
			}
			require.Equal(t, want, rows[i+1][c], name)
		}
	}
}

func TestWhatNeuronsSayIsNoFormula(t *testing.T) {
	for _, text := range []string{"=HYPERLINK(\"https://evil.example\")", "+1", "-1+1", "@SUM(1)", "\t=1", "\r=1"} {
		var b strings.Builder
		require.NoError(t, console.WriteNeurons(&b, []console.Neuron{
			console.NewNeuron(&emissiontypes.MetagraphNeuron{Hotkey: "lode1a", Protocol: text, ProtocolVersion: text, Endpoints: []string{text, "x"}}),
		}))
		rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
		require.NoError(t, err)
		quoted := 0
		for _, field := range rows[1] {
			if strings.HasPrefix(field, "'") {
				quoted++
				continue
			}
			require.NotContains(t, "=+-@\t\r", (field + " ")[:1], "%q", text)
		}
		require.Equal(t, 3, quoted, "%q", text)
	}
}
