package inference

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParametersOfTheSubnet(t *testing.T) {
	p, err := ParseParams(nil)
	require.NoError(t, err)
	require.Equal(t, DefaultParams(), p)
	digest := strings.Repeat("0f", 32)
	p, err = ParseParams([]byte(`{"model":"` + digest + `","name":"mini","reference_price":5,"unknown":1}`))
	require.NoError(t, err)
	require.Equal(t, digest, p.Model)
	require.EqualValues(t, 5, p.ReferencePrice)
	require.EqualValues(t, 80, p.MaxPrice())
	require.Equal(t, DefaultParams().ReferenceSpeed, p.ReferenceSpeed, "what is left out has its default")
	for name, raw := range map[string]string{
		"not JSON": "{", "a list": "[]", "a short digest": `{"model":"abc"}`, "a digest in capitals": `{"model":"` + strings.Repeat("AB", 32) + `"}`,
		"a price of nothing": `{"reference_price":0}`, "a negative price": `{"reference_price":-1}`, "a huge price": `{"reference_price":2000000000000000000}`,
		"no speed": `{"reference_speed":0}`, "an infinite speed": `{"reference_speed":1e300}`, "a cap below 1": `{"speed_cap":0.5}`, "a huge cap": `{"price_cap":1e9}`,
		"a long name": `{"name":"` + strings.Repeat("x", 300) + `"}`,
	} {
		_, err := ParseParams([]byte(raw))
		require.ErrorContains(t, err, "the subnet's parameters", name)
	}
}
