package field_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/lodenet/lode/x/internal/field"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

func TestAFieldIsReadAsTheWholeMessageHasIt(t *testing.T) {
	height := field.Uint64(5)
	for _, row := range []weightstypes.Row{
		{},
		{Height: 7},
		{SubnetId: math.MaxUint64, Uid: 3, Uids: []uint32{1, 2, math.MaxUint32}, Values: []uint32{4, 5, 6}, Height: math.MaxInt64, SetHeight: 9},
	} {
		raw, err := row.Marshal()
		require.NoError(t, err)
		got, err := height.Decode(raw)
		require.NoError(t, err)
		require.Equal(t, uint64(row.Height), got)
		for cut := range raw {
			var short weightstypes.Row
			got, err := height.Decode(raw[:cut])
			if short.Unmarshal(raw[:cut]) == nil {
				require.NoError(t, err)
				require.Equal(t, uint64(short.Height), got)
			} else {
				require.Error(t, err)
			}
		}
	}
	twice := protowire.AppendVarint(protowire.AppendTag(nil, 5, protowire.VarintType), 1)
	twice = protowire.AppendVarint(protowire.AppendTag(twice, 5, protowire.VarintType), 2)
	got, err := height.Decode(twice)
	require.NoError(t, err)
	require.Equal(t, uint64(2), got)
	_, err = height.Decode(protowire.AppendString(protowire.AppendTag(nil, 5, protowire.BytesType), "x"))
	require.ErrorContains(t, err, "no integer")
	_, err = height.Encode(1)
	require.Error(t, err)
}
