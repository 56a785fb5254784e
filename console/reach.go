package console

// Which addresses the console connects to for a service, whose endpoint anybody may have
// written.

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	ma "github.com/multiformats/go-multiaddr"
)

// reachable says whether an endpoint may be asked by what it says of itself. What its
// name resolves to is looked at again when it is called.
func reachable(endpoint string, local bool) bool {
	if strings.HasPrefix(endpoint, "/") {
		m, err := ma.NewMultiaddr(endpoint)
		if err != nil {
			return false
		}
		return reachableMesh(m, local)
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return false
	}
	h, err := parseHost(u.Host)
	if err != nil {
		return false
	}
	if h.name == "" {
		return allowed(h.addr, local)
	}
	return local || h.name != "localhost" && !strings.HasSuffix(h.name, ".localhost") && strings.Contains(h.name, ".")
}

// reachableMesh says so of a multiaddr: a name comes first or not at all, and behind a relay,
// which must be named by its id, is the provider and nothing else.
func reachableMesh(m ma.Multiaddr, local bool) bool {
	ok, before, relayed := true, 0, false
	ma.ForEach(m, func(c ma.Component) bool {
		code := c.Protocol().Code
		switch code {
		case ma.P_IP4, ma.P_IP6:
			a, err := netip.ParseAddr(c.Value())
			ok = err == nil && allowed(a, local)
		case ma.P_DNS, ma.P_DNS4, ma.P_DNS6:
			ok = before == 0
		case ma.P_CIRCUIT:
			ok = before == ma.P_P2P && !relayed
		case ma.P_UNIX, ma.P_IP6ZONE, ma.P_DNSADDR:
			ok = false
		}
		ok = ok && (!relayed || code == ma.P_P2P)
		relayed = relayed || code == ma.P_CIRCUIT
		before = code
		return ok
	})
	return ok
}

// allowed says whether an address is one of the whole internet; where all is local also
// one of this machine.
func allowed(a netip.Addr, local bool) bool {
	a = a.Unmap()
	if local && a.IsLoopback() {
		return true
	}
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "" {
		return false
	}
	if a.Is6() && !global6.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// global6 is all that is given out of IPv6 for hosts of the internet.
var global6 = netip.MustParsePrefix("2000::/3")

// special are ranges that lead to no host of the internet, or to one by another way
// (RFC 6890 and after it).
var special = func() (all []netip.Prefix) {
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
	} {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}()

// dialable looks at the address that a connection is about to be made to, which is what
// a name resolved to.
func dialable(address string, local bool) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !allowed(ap.Addr(), local) {
		return fail(http.StatusForbidden, "not_allowed", "a console on loopback with a local network may", "the service is at %s, an address of this machine or a private network", address)
	}
	return nil
}

// resolve makes names of a multiaddr addresses, so that what is called is what was
// looked at.
func resolve(ctx context.Context, endpoint string, local bool) ([]string, error) {
	m, err := ma.NewMultiaddr(endpoint)
	if err != nil {
		return nil, fail(http.StatusBadGateway, "unreachable", "", "the service's endpoint %q is no multiaddr", endpoint)
	}
	first, rest := ma.SplitFirst(m)
	network := map[int]string{ma.P_DNS: "ip", ma.P_DNS4: "ip4", ma.P_DNS6: "ip6"}[first.Protocol().Code]
	if network == "" {
		return []string{endpoint}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, buyDial)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, network, first.Value())
	if err != nil {
		return nil, unreachable(err)
	}
	var all []string
	for _, a := range addrs[:min(len(addrs), 8)] {
		a = a.Unmap()
		if !allowed(a, local) {
			continue
		}
		kind := "/ip6/"
		if a.Is4() {
			kind = "/ip4/"
		}
		all = append(all, kind+a.String()+rest.String())
	}
	if len(all) == 0 {
		return nil, fail(http.StatusForbidden, "not_allowed", "", "the service is at %s, which leads to no address of the internet", endpoint)
	}
	return all, nil
}
