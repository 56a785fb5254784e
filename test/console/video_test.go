package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnets/video"
	"github.com/lodenet/lode/subnets/video/media"
	"github.com/lodenet/lode/test/watch"
)

// A clip is compressed by real miners, whose validator sells it on the mesh, through the
// console: first call by call, then by the page's form.
func TestMinersCompressAClipThroughTheConsole(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	s := &site{n: localnettest.Start(t, localnet.Config{BlockTime: 500 * time.Millisecond, Strategies: []string{"search"}})}
	s.c = s.n.Client()
	s.serve(ctx, t)
	v := &videoShop{site: s, dir: t.TempDir()}
	v.open(ctx, t)
	t.Run("paying by vouchers", func(t *testing.T) { v.buy(ctx, t) })
	t.Run("from the page", func(t *testing.T) { v.browse(ctx, t) })
}

// videoShop is the service of a validator that sells.
type videoShop struct {
	*site
	dir   string
	id    uint64
	price video.Price
	miner string
}

// clip is a second of video in a container: ten pictures.
func (v *videoShop) clip(ctx context.Context, t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(v.dir, name)
	out, err := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=10:duration=1",
		"-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "10", path).CombinedOutput()
	require.NoErrorf(t, err, "%s", out)
	return path
}

// sameOrigin is a page's way to its console.
type sameOrigin struct{ origin string }

func (o sameOrigin) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Origin", o.origin)
	return http.DefaultTransport.RoundTrip(r)
}

// call asks the console, unpaid unless by says otherwise.
func (v *videoShop) call(ctx context.Context, t *testing.T, by http.RoundTripper, method, path string, body []byte, header ...string) (int, []byte) {
	t.Helper()
	if by == nil {
		by = sameOrigin{v.url}
	}
	r, err := http.NewRequestWithContext(ctx, method, v.url+path, bytes.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Client{Transport: by}).Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, answer
}

// open waits until the service is listed and has a miner to give work to.
func (v *videoShop) open(ctx context.Context, t *testing.T) {
	t.Helper()
	blocks, stop := context.WithCancel(ctx)
	defer stop()
	last := ""
	for range v.c.Blocks(blocks) {
		var list struct {
			Items []struct {
				ID      uint64 `json:"id,string"`
				Name    string `json:"name"`
				Buyable bool   `json:"buyable"`
			} `json:"items"`
		}
		code, body := v.call(ctx, t, nil, "GET", "/v1/market/services", nil)
		last = string(body)
		if code != http.StatusOK || json.Unmarshal(body, &list) != nil || len(list.Items) == 0 || list.Items[0].Name != video.ServiceName {
			continue
		}
		require.True(t, list.Items[0].Buyable)
		v.id = list.Items[0].ID
		code, body = v.call(ctx, t, nil, "GET", fmt.Sprintf("/buy/%d/price", v.id), nil)
		last = string(body)
		if code != http.StatusOK {
			continue
		}
		require.NoError(t, json.Unmarshal(body, &v.price))
		require.Equal(t, v.id, v.price.ServiceID)
		require.Positive(t, v.price.Rao)
		code, body = v.call(ctx, t, nil, "GET", fmt.Sprintf("/buy/%d/miners", v.id), nil)
		last = string(body)
		var miners []video.Worker
		if code != http.StatusOK || json.Unmarshal(body, &miners) != nil || len(miners) == 0 {
			continue
		}
		v.miner = miners[0].Hotkey
		return
	}
	t.Fatalf("nobody sells video: %v; the last answer was %s", context.Cause(ctx), last)
}

func (v *videoShop) buy(ctx context.Context, t *testing.T) {
	payer := newKey(t)
	require.NoError(t, v.give(ctx, payer.Address(), localnet.TAO))
	books, err := pay.OpenClient(pay.ClientConfig{
		Dir: t.TempDir(), Chain: pay.NewPayerChain(v.c, payer, ""), Base: sameOrigin{v.url},
		Limits: pay.Limits{PerRequest: localnet.TAO / 100, PerDay: localnet.TAO / 10, Deposit: localnet.TAO / 10},
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, books.Close()) }()

	source, err := os.ReadFile(v.clip(ctx, t, "clip.mkv"))
	require.NoError(t, err)
	shape := media.Shape{Width: 160, Height: 96, PixFmt: "yuv420p", Frames: 10}
	job := video.Job{Version: video.Version, Codecs: []media.Codec{media.AV1}, Gate: video.DefaultGate(media.SSIM, 94), Source: "h264",
		Shape: shape, DeadlineMS: (2 * time.Minute).Milliseconds()} // more than video.Deadline: other tests may run beside this one
	words, err := json.Marshal(job)
	require.NoError(t, err)
	jobs := fmt.Sprintf("/buy/%d/via/%s/job", v.id, v.miner)

	// Who does not pay, or asks for nonsense, gets a price or a reason, and no work.
	code, answer := v.call(ctx, t, nil, "POST", jobs, source, "Lode-Video-Job", string(words))
	require.Equal(t, http.StatusPaymentRequired, code, "%s", answer)
	for name, header := range map[string]string{"nothing": "", "no JSON": "{", "a job of another version": `{"version":99}`, "a picture as wide as a street": strings.Replace(string(words), `"width":160`, `"width":999999999`, 1)} {
		code, answer = v.call(ctx, t, books, "POST", jobs, source, "Lode-Video-Job", header)
		require.Equal(t, http.StatusBadRequest, code, "%s: %s", name, answer)
	}
	code, answer = v.call(ctx, t, nil, "GET", jobs+"/never-ordered", nil)
	require.Equal(t, http.StatusNotFound, code, "%s", answer)

	code, answer = v.call(ctx, t, books, "POST", jobs, source, "Lode-Video-Job", string(words), "Content-Type", "application/octet-stream")
	require.Equal(t, http.StatusAccepted, code, "%s", answer)
	var ticket video.Ticket
	require.NoError(t, json.Unmarshal(answer, &ticket))
	var status video.Status
	for !status.Final() {
		code, answer = v.call(ctx, t, nil, "GET", jobs+"/"+ticket.ID+"?wait_ms=10000", nil)
		require.Equal(t, http.StatusOK, code, "%s", answer)
		require.NoError(t, json.Unmarshal(answer, &status))
	}
	require.Equal(t, video.StateDone, status.State, status.Error)

	code, answer = v.call(ctx, t, nil, "GET", jobs+"/"+ticket.ID+"/answer", nil)
	require.Equal(t, http.StatusPaymentRequired, code, "the answer is not handed out unpaid")
	require.NotContains(t, string(answer), "OBU")
	code, answer = v.call(ctx, t, books, "GET", jobs+"/"+ticket.ID+"/answer", nil)
	require.Equal(t, http.StatusOK, code, "%.300s", answer)
	require.Equal(t, status.Commitment, video.Commit(status.Codec, answer), "what the miner was bound to before")
	require.Less(t, len(answer), len(source))
	again := answer
	code, answer = v.call(ctx, t, nil, "GET", jobs+"/"+ticket.ID+"/answer", nil)
	require.Equal(t, http.StatusOK, code, "what was paid is had again for nothing: %.300s", answer)
	require.Equal(t, again, answer)

	small := filepath.Join(v.dir, "small.obu")
	require.NoError(t, os.WriteFile(small, answer, 0o600))
	out, err := exec.CommandContext(ctx, "ffprobe", "-v", "error", "-f", "obu", "-count_frames", "-show_entries", "stream=codec_name,width,height,nb_read_frames", "-of", "csv=p=0", small).CombinedOutput()
	require.NoErrorf(t, err, "%s", out)
	require.Equal(t, "av1,160,96,10", strings.TrimSpace(string(out)))

	code, answer = v.call(ctx, t, nil, "DELETE", jobs+"/"+ticket.ID, nil)
	require.Less(t, code, 300, "%s", answer)
	code, _ = v.call(ctx, t, nil, "GET", jobs+"/"+ticket.ID, nil)
	require.Equal(t, http.StatusNotFound, code)

	cost, err := v.price.Cost(shape.Frames)
	require.NoError(t, err)
	var paid uint64
	require.NoError(t, books.Ledger(time.Time{}, func(p pay.Payment) bool {
		if p.Kind == "request" {
			paid += p.Charged
			require.Equal(t, v.id, p.ServiceID)
			require.True(t, strings.HasPrefix(p.URL, v.url+"/buy/"), "it went through the console: %s", p.URL)
		}
		return true
	}))
	require.Equal(t, cost, paid, "one answer, once")
}

// browse has the page do the same.
func (v *videoShop) browse(ctx context.Context, t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("no chromium: scripts/tools.sh installs it")
	}
	watch.Files(t, "*.mjs", "../../console/web/package-lock.json")
	if _, err := os.Stat("../../console/web/node_modules/playwright-core/package.json"); err != nil {
		install := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts")
		install.Dir = "../../console/web"
		out, err := install.CombinedOutput()
		require.NoErrorf(t, err, "npm ci: %s", out)
	}
	cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec", "video.test.mjs")
	cmd.Env = append(os.Environ(), "LODE_CONSOLE="+v.url, "LODE_CONTROL="+v.control(ctx, t), "LODE_BROWSER="+browser,
		fmt.Sprintf("LODE_SERVICE=%d", v.id), "LODE_CLIP="+v.clip(ctx, t, "clip.mp4"))
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
}
