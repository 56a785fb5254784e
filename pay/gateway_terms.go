package pay

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/lodenet/lode/pay/x402"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// Route says what one handler's requests cost.
type Route struct {
	// Units is the most units that a request may use. It is asked with the unpaid request
	// too, and leaves the body alone. In a stream it is what is reserved at a time:
	// the meter asks for more when it is used up.
	Units func(*http.Request) (uint64, error)
	// Resource is what is paid for, in place of a request's URL.
	Resource string
	// Description and MimeType tell customers what they get.
	Description, MimeType string
	// Timeout bounds the handler; default 10 min.
	Timeout time.Duration
	// VoucherTimeout is how long a stream waits for its next voucher; default 30 s.
	VoucherTimeout time.Duration
}

// Flat is a route's Units where each request uses the same.
func Flat(units uint64) func(*http.Request) (uint64, error) {
	return func(*http.Request) (uint64, error) { return units, nil }
}

// offer is one way to pay for a request.
type offer struct {
	requirements x402.Requirements
	terms        x402.Terms
	plan         uint64 // 0: by use
	amount       uint64 // ceiling: rao, of a plan units
	units        uint64 // ceiling
	price, per   uint64
}

// money is what units cost on an offer's terms.
func (o *offer) money(units uint64) (uint64, error) {
	if o.plan != 0 {
		return units, nil
	}
	return Cost(units, o.price, o.per)
}

// offered are the offers of a service as it is now, for they are the same for many
// requests. Another service, another price, or another plan that channels pay begins anew.
type offered struct {
	service *markettypes.ServiceInfo
	plans   int
	byUnits map[offeredKey][]offer
}

type offeredKey struct {
	units   uint64
	timeout time.Duration
}

// maxOffered bounds how many offers are kept: routes may price each request differently.
const maxOffered = 256

// offers are the ways to pay for units: by use, and by each plan. They are shared: nobody
// changes them.
func (g *Gateway) offers(service *markettypes.ServiceInfo, units uint64, timeout time.Duration) ([]offer, error) {
	key := offeredKey{units, timeout}
	g.mu.Lock()
	plans := len(g.plans) // it only grows
	if o := &g.offered; o.service == service && o.plans == plans {
		if known := o.byUnits[key]; known != nil {
			g.mu.Unlock()
			return known, nil
		}
	}
	g.mu.Unlock()
	all, err := g.makeOffers(service, units, timeout)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if service != g.service || plans != len(g.plans) {
		return all, nil // of a moment that is over
	}
	if o := &g.offered; o.service != service || o.plans != plans || len(o.byUnits) >= maxOffered {
		*o = offered{service, plans, map[offeredKey][]offer{}}
	}
	g.offered.byUnits[key] = all
	return all, nil
}

func (g *Gateway) makeOffers(service *markettypes.ServiceInfo, units uint64, timeout time.Duration) ([]offer, error) {
	s := service.Service
	amount, err := Cost(units, s.Price, s.Per)
	if err != nil {
		return nil, err
	}
	base := x402.Requirements{
		Scheme: x402.Scheme, Network: x402.Network(g.chainID), Amount: x402.Amount(amount), Asset: x402.Asset,
		PayTo: service.Hotkey, MaxTimeoutSeconds: max(1, int64(timeout/time.Second)),
	}
	terms := x402.Terms{
		ReceiverAuthorizer: service.Hotkey, WithdrawDelay: g.cfg.CloseDelay,
		ServiceID: x402.Amount(s.Id), Unit: s.Unit.Word(), Price: x402.Amount(s.Price), Per: x402.Amount(s.Per),
	}
	if g.cfg.MinDeposit > 0 {
		terms.MinDeposit = x402.Amount(g.cfg.MinDeposit)
	}
	all := []offer{{requirements: base, terms: terms, amount: amount, units: units, price: s.Price, per: s.Per}}
	for _, p := range service.Plans {
		t, r := terms, base
		r.Asset, r.Amount = x402.AssetUnit, x402.Amount(units)
		t.MinDeposit = x402.Amount(max(p.Price, g.cfg.MinDeposit))
		t.PlanID, t.PlanName, t.PlanPeriod = x402.Amount(p.Id), p.Name, p.Period
		t.PlanPrice, t.PlanQuota = x402.Amount(p.Price), x402.Amount(p.Quota)
		all = append(all, offer{requirements: r, terms: t, plan: p.Id, amount: units, units: units})
	}
	for _, id := range g.retired(service) {
		t, r := terms, base
		r.Asset, r.Amount = x402.AssetUnit, x402.Amount(units)
		t.MinDeposit, t.PlanID = "", x402.Amount(id)
		all = append(all, offer{requirements: r, terms: t, plan: id, amount: units, units: units})
	}
	for i := range all {
		if all[i].requirements, err = all[i].requirements.WithTerms(all[i].terms); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// retired are plans that are offered no more and that channels still pay.
func (g *Gateway) retired(service *markettypes.ServiceInfo) []uint64 {
	if service.Service.Id != g.cfg.ServiceID {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var ids []uint64
	for id := range g.plans {
		if !slices.ContainsFunc(service.Plans, func(p markettypes.Plan) bool { return p.Id == id }) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// match finds the offer that a client has accepted. Terms that a corrective answer has
// added are not looked at.
func match(offers []offer, accepted x402.Requirements) (*offer, string) {
	switch {
	case accepted.Scheme != x402.Scheme:
		return nil, x402.ReasonScheme
	case accepted.Network != offers[0].requirements.Network:
		return nil, x402.ReasonNetwork
	}
	alike := func(b *x402.Requirements) bool {
		return accepted.Amount == b.Amount && accepted.Asset == b.Asset && accepted.PayTo == b.PayTo && accepted.MaxTimeoutSeconds == b.MaxTimeoutSeconds
	}
	for i := range offers { // most clients send what they were told, to the letter
		if o := &offers[i]; alike(&o.requirements) && bytes.Equal(accepted.Extra, o.requirements.Extra) {
			return o, ""
		}
	}
	terms, err := accepted.Terms()
	if err != nil {
		return nil, x402.ReasonTerms
	}
	terms.ChannelState, terms.VoucherState = nil, nil
	for i := range offers {
		if o := &offers[i]; terms == o.terms && alike(&o.requirements) {
			return o, ""
		}
	}
	return nil, x402.ReasonTerms
}

// refusal is why a payment was not taken.
type refusal struct {
	reason  string
	message string
	status  int           // 0: 402
	state   *account      // its state goes with the answer: a corrective one
	retry   time.Duration // when to ask again
}

func (r *refusal) Error() string { return r.reason + ": " + r.message }

func refuse(reason, format string, args ...any) *refusal {
	return &refusal{reason: reason, message: fmt.Sprintf(format, args...)}
}

func unavailable(format string, args ...any) *refusal {
	return &refusal{reason: x402.ReasonFacilitator, message: fmt.Sprintf(format, args...), status: http.StatusServiceUnavailable, retry: 5 * time.Second}
}

// ask answers 402, or what a refusal says, with the terms of now.
func (g *Gateway) ask(w http.ResponseWriter, r *http.Request, route Route, bad *refusal) {
	if bad.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(bad.retry/time.Second))))
	}
	if bad.status != 0 {
		writeError(w, bad.status, bad.reason, bad.message)
		return
	}
	units, err := route.Units(r)
	if err != nil {
		writeError(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	offers, err := g.offers(g.current(r.Context()), units, route.Timeout)
	if err != nil {
		writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, err.Error())
		return
	}
	service := g.Service()
	required := x402.Required{
		X402Version: x402.Version, Error: bad.reason, Extensions: x402.DeclareIdentifier(),
		Resource: x402.Resource{URL: g.resource(r, route), Description: route.Description, MimeType: route.MimeType},
	}
	if required.Resource.Description == "" {
		required.Resource.Description = service.Service.Description
	}
	for _, o := range offers {
		if bad.state != nil {
			bad.state.mu.Lock()
			if bad.state.rec.PlanID == o.plan {
				o.terms.ChannelState = bad.state.state()
				if len(bad.state.rec.Signature) > 0 {
					o.terms.VoucherState = &x402.VoucherState{
						SignedMaxClaimable: x402.Amount(bad.state.rec.Cumulative), Signature: hex.EncodeToString(bad.state.rec.Signature),
					}
				}
			}
			bad.state.mu.Unlock()
			if o.requirements, err = o.requirements.WithTerms(o.terms); err != nil {
				writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, err.Error())
				return
			}
		}
		required.Accepts = append(required.Accepts, o.requirements)
	}
	encoded, err := x402.Encode(required)
	if err != nil {
		writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, err.Error())
		return
	}
	w.Header().Set(x402.HeaderRequired, encoded)
	writeError(w, http.StatusPaymentRequired, bad.reason, bad.message)
}

// resource is the URL that a request asks for, as customers write it.
func (g *Gateway) resource(r *http.Request, route Route) string {
	if route.Resource != "" {
		return route.Resource
	}
	path := r.URL.RequestURI()
	if len(path) > 2048 {
		path = path[:2048]
	}
	if g.cfg.PublicURL != "" {
		return g.cfg.PublicURL + path
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + path
}

// writeError answers with an error for programs and its words for people.
func writeError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "message": message})
}
