package cli

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/test/ports"
	"github.com/lodenet/lode/wallet"
)

// running has the books of a temporary home open, and takes commands.
func running(t *testing.T) (*control, string, *books) {
	t.Helper()
	b := &books{dir: filepath.Join(t.TempDir(), "books")}
	c, err := pay.OpenClient(pay.ClientConfig{Dir: b.dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	s, err := b.hold(c)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.http.Close() }) // some have ended it
	raw, err := os.ReadFile(b.controlFile())
	require.NoError(t, err)
	var at controlFile
	require.NoError(t, json.Unmarshal(raw, &at))
	return s, at.URL, b
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

func TestNobodyCommandsWithoutTheToken(t *testing.T) {
	s, url, _ := running(t)
	for _, token := range []string{"", "x", s.token[1:], strings.ToUpper(s.token) + "0", hex.EncodeToString(make([]byte, 32))} {
		status, _ := post(t, url, token, `{"Verb":"channels"}`)
		require.Equal(t, http.StatusForbidden, status, token)
	}
	status, body := post(t, url, s.token, `{"Verb":"channels"}`)
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, body, `"Message"`)
}

func TestCommandsThatAreNoneAreRefused(t *testing.T) {
	s, url, _ := running(t)
	for _, body := range []string{"", "{", "[]", `{"Verb":1}`, `{"Open":{"ServiceID":-1}}`, `{"Rao":1e30}`, `{"Channel":"` + strings.Repeat("a", 70<<10) + `"}`} {
		status, _ := post(t, url, s.token, body)
		require.Equal(t, http.StatusBadRequest, status, "%.60s", body)
	}
	for _, body := range []string{`{}`, `{"Verb":"empty"}`, `{"Verb":"close","Channel":"zz"}`, `{"Verb":"top-up","Channel":"00"}`, `{"Verb":"top-up","Channel":"` + strings.Repeat("0", 64) + `","Rao":1}`} {
		status, out := post(t, url, s.token, body)
		require.Equal(t, http.StatusOK, status, body)
		require.Contains(t, out, `"Message":"`, body)
	}
}

func TestCommandsFindTheProcessThatHasTheBooksOpen(t *testing.T) {
	s, _, b := running(t)
	info, err := os.Stat(b.controlFile())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	ctx := context.Background()
	require.NoError(t, b.read(t.Context(), func(p purse) error {
		require.IsType(t, &heldPurse{}, p)
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

	pid := strconv.Itoa(os.Getpid())
	inUse := func(wrong string) {
		t.Helper()
		err := b.read(t.Context(), func(purse) error { return nil })
		require.ErrorIs(t, err, pay.ErrInUse)
		require.ErrorContains(t, err, b.dir+" is in use by process "+pid)
		require.ErrorContains(t, err, wrong)
		code, hint := explain(err)
		require.Equal(t, "in_use", code)
		require.Contains(t, hint, "process "+pid+", `cli.test`")
	}
	require.NoError(t, s.http.Close()) // it takes no commands, but has the books
	inUse("does not answer")
	require.NoError(t, os.WriteFile(b.controlFile(), []byte("{"), 0o600))
	inUse("can't be read")
	require.NoError(t, os.Remove(b.controlFile()))
	inUse("")
}

func TestWhoHasTheBooksLetsCommandsUnderWayComeToTheirEnd(t *testing.T) {
	s, url, b := running(t)
	began, goOn := make(chan struct{}), make(chan struct{})
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-goOn
		s.ServeHTTP(w, r)
	})
	answered := make(chan int, 1)
	go func() {
		status, _ := post(t, url, s.token, `{"Verb":"channels"}`)
		answered <- status
	}()
	<-began
	ended := make(chan error, 1)
	go func() { ended <- s.end(t.Context()) }()
	require.Eventually(t, func() bool { _, err := os.Stat(b.controlFile()); return err != nil }, 5*time.Second, time.Millisecond)
	close(goOn)
	require.Equal(t, http.StatusOK, <-answered)
	require.NoError(t, <-ended)
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

func TestAProcessThatIsStartingIsWaitedFor(t *testing.T) {
	_, _, b := running(t)
	raw, err := os.ReadFile(b.controlFile())
	require.NoError(t, err)
	require.NoError(t, os.Remove(b.controlFile()))
	said := make(chan error, 1)
	tries := 0
	var p purse
	require.NoError(t, untilFree(t.Context(), func() (err error) { // by now it has the books
		if tries++; tries == 2 {
			said <- os.WriteFile(b.controlFile(), raw, 0o600)
		}
		p, err = b.held(t.Context(), pay.ErrInUse)
		return err
	}))
	require.IsType(t, &heldPurse{}, p)
	require.NoError(t, <-said)
}

func TestWhatAKilledProcessLeavesNamesNobody(t *testing.T) {
	b := &books{dir: t.TempDir()}
	require.NoError(t, os.WriteFile(b.controlFile(), []byte(`{"url":"http://127.0.0.1:1","token":"x"}`), 0o600))
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

func TestAnAgentsBooksOpenWhileNoNodeAnswers(t *testing.T) {
	port := ports.Free(t, 1) // nobody listens there
	g := &globals{home: t.TempDir(), node: fmt.Sprintf("http://127.0.0.1:%d", port)}
	require.NoError(t, os.MkdirAll(filepath.Join(g.home, "pay", "a-chain"), 0o700))
	id, err := g.chainOfBooks(t.Context())
	require.NoError(t, err)
	require.Equal(t, "a-chain", id)
	key, err := wallet.NewSigner(secp256k1.GenPrivKey().Bytes())
	require.NoError(t, err)
	b := &books{g: g, payer: key.Address(), signer: "agent", chainID: id}
	c, err := b.connect(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.Close())
}
