package cli

import (
	"bytes"
	"context"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
)

// running is a control with the books of a temporary home open.
func running(t *testing.T) (*control, *httptest.Server, *books) {
	t.Helper()
	b := &books{dir: filepath.Join(t.TempDir(), "books")}
	c, err := pay.OpenClient(pay.ClientConfig{Dir: b.dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	s := newControl(c, http.NotFoundHandler())
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server, b
}

func post(t *testing.T, url, token, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url+controlPath, strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var out bytes.Buffer
	_, err = out.ReadFrom(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, out.String()
}

func TestAProxyTakesCommandsFromNobodyWithoutItsToken(t *testing.T) {
	s, server, _ := running(t)
	for _, token := range []string{"", "x", s.token[1:], strings.ToUpper(s.token) + "0", hex.EncodeToString(make([]byte, 32))} {
		status, _ := post(t, server.URL, token, `{"Verb":"channels"}`)
		require.Equal(t, http.StatusForbidden, status, token)
	}
	status, body := post(t, server.URL, s.token, `{"Verb":"channels"}`)
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, body, `"Message"`)
}

func TestAProxyRefusesCommandsThatAreNone(t *testing.T) {
	s, server, _ := running(t)
	for _, body := range []string{"", "{", "[]", `{"Verb":1}`, `{"Open":{"ServiceID":-1}}`, `{"Rao":1e30}`, `{"Channel":"` + strings.Repeat("a", 70<<10) + `"}`} {
		status, _ := post(t, server.URL, s.token, body)
		require.Equal(t, http.StatusBadRequest, status, "%.60s", body)
	}
	for _, body := range []string{`{}`, `{"Verb":"empty"}`, `{"Verb":"close","Channel":"zz"}`, `{"Verb":"top-up","Channel":"00"}`, `{"Verb":"top-up","Channel":"` + strings.Repeat("0", 64) + `","Rao":1}`} {
		status, out := post(t, server.URL, s.token, body)
		require.Equal(t, http.StatusOK, status, body)
		require.Contains(t, out, `"Message":"`, body)
	}
}

func TestCommandsFindTheProxyThatHasTheBooksOpen(t *testing.T) {
	s, server, b := running(t)
	withdraw, err := s.announce(b.proxyFile(), server.URL)
	require.NoError(t, err)
	info, err := os.Stat(b.proxyFile())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	ctx := context.Background()
	require.NoError(t, b.read(t.Context(), func(p purse) error {
		require.IsType(t, &proxyPurse{}, p)
		spent, err := p.Spent(ctx)
		require.NoError(t, err)
		require.Zero(t, spent.All)
		var csv bytes.Buffer
		require.NoError(t, p.WriteCSV(ctx, &csv, time.Time{}))
		require.True(t, strings.HasPrefix(csv.String(), "n,time,kind,"))
		_, err = p.TopUp(ctx, make([]byte, 32), 1)
		require.ErrorContains(t, err, "is not of this store")
		code, _ := explain(err)
		require.NotEmpty(t, code)
		return nil
	}))

	server.Close() // it hangs, but has the books
	require.NoError(t, b.read(t.Context(), func(p purse) error {
		_, err := p.Spent(ctx)
		require.ErrorContains(t, err, "does not answer")
		return nil
	}))
	require.NoError(t, os.WriteFile(b.proxyFile(), []byte("{"), 0o600))
	require.ErrorContains(t, b.read(t.Context(), func(purse) error { return nil }), "can't be read")
	require.NoError(t, withdraw())
	require.ErrorIs(t, b.read(t.Context(), func(purse) error { return nil }), pay.ErrInUse)
}

func TestBooksThatAnotherHasForAMomentAreWaitedFor(t *testing.T) {
	b := &books{dir: filepath.Join(t.TempDir(), "books")}
	other, err := pay.OpenClient(pay.ClientConfig{Dir: b.dir})
	require.NoError(t, err)
	closed := make(chan error, 1)
	tries := 0
	require.NoError(t, untilFree(t.Context(), func() error {
		if tries++; tries == 2 {
			closed <- other.Close()
		}
		c, err := pay.OpenClient(pay.ClientConfig{Dir: b.dir})
		if err != nil {
			return err
		}
		return c.Close()
	}))
	require.NoError(t, <-closed)
	require.Equal(t, 2, tries)

	ctx, cancel := context.WithCancel(t.Context())
	tries = 0
	require.ErrorIs(t, untilFree(ctx, func() error {
		tries++
		cancel()
		return pay.ErrInUse
	}), context.Canceled)
	require.Equal(t, 1, tries)
	tries = 0
	require.ErrorIs(t, untilFree(t.Context(), func() error { tries++; return os.ErrPermission }), os.ErrPermission)
	require.Equal(t, 1, tries)
}

func TestAProxyThatIsStartingIsWaitedFor(t *testing.T) {
	s, server, b := running(t)
	announced := make(chan error, 1)
	go func() { // by now the books are its own
		_, err := s.announce(b.proxyFile(), server.URL)
		announced <- err
	}()
	require.NoError(t, b.read(t.Context(), func(p purse) error {
		require.IsType(t, &proxyPurse{}, p)
		return nil
	}))
	require.NoError(t, <-announced)
}

func TestWhatAKilledProxyLeavesNamesNobody(t *testing.T) {
	b := &books{dir: t.TempDir()}
	require.NoError(t, os.WriteFile(b.proxyFile(), []byte(`{"url":"http://127.0.0.1:1","token":"x"}`), 0o600))
	require.NoError(t, b.read(t.Context(), func(p purse) error {
		require.IsType(t, ownPurse{}, p)
		return nil
	}))
}

func TestLimitsThatCantBeReadLetNothingBePaid(t *testing.T) {
	b := &books{dir: t.TempDir()}
	for _, text := range []string{"", "{", "[]", `{"per_day_rao":-1}`, `{"per_day_rao":"x"}`, `{"per_day_rao":"-1"}`, `{"per_year_rao":"1"}`} {
		require.NoError(t, os.WriteFile(b.limitsFile(), []byte(text), 0o600))
		_, err := b.limits()
		require.ErrorContains(t, err, "can't be read", text)
		_, err = b.config(context.Background(), nil)
		require.Error(t, err, text)
	}
	day := uint64(7)
	require.NoError(t, b.setLimits(limitsJSON{PerDay: &day}))
	l, err := b.limits()
	require.NoError(t, err)
	require.Equal(t, pay.Limits{PerDay: 7}, l.limits())
}
