package cli

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/test/ports"
)

func TestTheConsoleOfUpKeepsItsPort(t *testing.T) {
	home := t.TempDir()
	port := ports.Free(t, 1) // that of the last run
	first := &upConsole{home: home}
	require.NoError(t, os.MkdirAll(filepath.Dir(first.portFile()), 0o700))
	require.NoError(t, os.WriteFile(first.portFile(), []byte(strconv.Itoa(port)+"\n"), 0o600))
	require.NoError(t, first.listen())
	require.Equal(t, "http://127.0.0.1:"+strconv.Itoa(port), first.url())

	taken := &upConsole{home: home, port: port}
	require.ErrorIs(t, taken.listen(), syscall.EADDRINUSE, "a port that was asked for is not changed")
	elsewhere := &upConsole{home: home}
	require.NoError(t, elsewhere.listen(), "another's is")
	require.NotEqual(t, port, elsewhere.ln.Addr().(*net.TCPAddr).Port)
	elsewhere.close()

	first.close()
	first.close() // serving may have done so
	again := &upConsole{home: home}
	require.NoError(t, again.listen())
	defer again.close()
	require.Equal(t, port, again.ln.Addr().(*net.TCPAddr).Port)

	for _, damaged := range []string{"", "many", "-1", "99999999"} {
		require.NoError(t, os.WriteFile(first.portFile(), []byte(damaged), 0o600))
		c := &upConsole{home: home}
		require.NoError(t, c.listen(), "%q", damaged)
		c.close()
	}
}

func TestAConsolesAddressIsOneThatBrowsersCanOpen(t *testing.T) {
	at := func(s string) net.Addr {
		a, err := net.ResolveTCPAddr("tcp", s)
		require.NoError(t, err)
		return a
	}
	require.Equal(t, "http://127.0.0.1:8420", consoleURL(at("127.0.0.1:8420"), "", false))
	require.Equal(t, "https://192.168.1.5:8420", consoleURL(at("192.168.1.5:8420"), "", true))
	require.Equal(t, "http://127.0.0.1:8420", consoleURL(at("0.0.0.0:8420"), "", false))
	require.Equal(t, "http://[::1]:8420", consoleURL(at("[::1]:8420"), "", false))
	require.Equal(t, "https://console.example.org:443", consoleURL(at("127.0.0.1:443"), "console.example.org", true))
}
