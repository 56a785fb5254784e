package localnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// statusServer answers GET / with the newest report. It is for this machine alone: a
// request that names another host (a page that rebinds its name to 127.0.0.1) is
// refused.
type statusServer struct {
	http *http.Server
	done chan error
}

func serveStatus(l net.Listener, report func() Report) *statusServer {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if !ownHost(r.Host, l.Addr().String()) {
			http.Error(w, fmt.Sprintf("this server is %s, not %s", l.Addr(), r.Host), http.StatusMisdirectedRequest)
			return
		}
		raw, err := json.MarshalIndent(report(), "", "  ")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(append(raw, '\n')) // an error means that the caller is gone
	})
	s := &statusServer{
		http: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10},
		done: make(chan error, 1),
	}
	go func() {
		err := s.http.Serve(l)
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		s.done <- err
	}()
	return s
}

// ownHost says whether a request's Host is the address listened on, by number or as
// localhost.
func ownHost(host, listens string) bool {
	_, port, err := net.SplitHostPort(listens)
	return err == nil && (host == listens || host == net.JoinHostPort("localhost", port))
}

func (s *statusServer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close() // somebody holds a connection
	}
	return errors.Join(err, <-s.done)
}
