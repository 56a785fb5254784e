package pay

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay/x402"
)

func TestWhatACorrectiveAnswerAddsToTermsIsNotSentBack(t *testing.T) {
	terms := x402.Terms{ServiceID: "7", Price: "1", Per: "1"}
	r, err := x402.Requirements{Scheme: x402.Scheme}.WithTerms(terms)
	require.NoError(t, err)
	terms.ChannelState, terms.VoucherState = &x402.ChannelState{}, &x402.VoucherState{}
	corrected, err := r.WithTerms(terms)
	require.NoError(t, err)
	got, err := withoutState(corrected, terms)
	require.NoError(t, err)
	require.Equal(t, r, got)

	corrected.Extra = append(json.RawMessage(`{"another":1,`), corrected.Extra[1:]...)
	got, err = withoutState(corrected, terms)
	require.NoError(t, err)
	require.Equal(t, corrected, got, "a field that we don't know is kept")
}
