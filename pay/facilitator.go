package pay

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lodenet/lode/pay/x402"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// Facilitator serves the routes of an x402 facilitator for the gateway's service:
//
//	POST /verify               whether a payment would be taken
//	POST /settle               charges a payment its amount
//	GET  /supported            scheme, network, who redeems
//	GET  /discovery/resources  the catalogue of the whole network
//
// With them a server in any language sells the service: it lets /verify look at the
// payment, serves, and lets /settle charge, with the amount that it was in the end.
// /verify sets nothing aside, and the same payment may come to many servers at once: let
// the answer leave when /settle has taken it. A payment is bearer's money: give /verify
// and /settle to no one but your own servers.
func (g *Gateway) Facilitator() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /verify", g.verifyRoute)
	mux.HandleFunc("POST /settle", g.settleRoute)
	mux.HandleFunc("GET /supported", g.supportedRoute)
	mux.HandleFunc("GET /discovery/resources", g.discoveryRoute)
	return mux
}

// judged is a payment that a facilitator was asked about.
type judged struct {
	account *account
	offer   *offer
	voucher x402.Parsed
}

// judge looks at a payment as Handler would, with the amount that the server names.
func (g *Gateway) judge(r *http.Request, v x402.VerifyRequest) (judged, *refusal) {
	req := v.PaymentRequirements
	switch {
	case req.Scheme != x402.Scheme:
		return judged{}, refuse(x402.ReasonScheme, "scheme %.40q, this is %s", req.Scheme, x402.Scheme)
	case req.Network != x402.Network(g.chainID):
		return judged{}, refuse(x402.ReasonNetwork, "network %.60q, this is %s", req.Network, x402.Network(g.chainID))
	}
	accepted := v.PaymentPayload.Accepted
	agreed, err := x402.ParseAmount(accepted.Amount)
	amount, err2 := x402.ParseAmount(req.Amount)
	service := g.current(r.Context())
	if err != nil || err2 != nil || amount > agreed || accepted.PayTo != req.PayTo || req.PayTo != service.Hotkey || accepted.Asset != req.Asset ||
		accepted.Scheme != req.Scheme || accepted.Network != req.Network {
		return judged{}, refuse(x402.ReasonTerms, "the payment was not made for these terms")
	}
	parsed, err := v.PaymentPayload.Payload.Voucher.Parse()
	if err != nil || v.PaymentPayload.Payload.Type == x402.TypeRefund {
		return judged{}, refuse(x402.ReasonType, "no voucher")
	}
	a, bad := g.account(r.Context(), parsed.ChannelID)
	if bad != nil {
		return judged{}, bad
	}
	a.mu.Lock()
	must := parsed.Cumulative > a.rec.Limit
	plan := a.rec.PlanID
	a.mu.Unlock()
	if (plan != 0) != (req.Asset == x402.AssetUnit) {
		return judged{}, refuse(x402.ReasonTerms, "the channel pays plan %d (0: by use), the terms are in %.20s", plan, req.Asset)
	}
	if bad := g.refresh(r.Context(), a, must); bad != nil {
		return judged{}, bad
	}
	// The amount is money already: one unit of it costs one.
	o := &offer{plan: plan, amount: amount, units: amount, price: 1, per: 1}
	return judged{a, o, parsed}, nil
}

func (g *Gateway) readVerify(w http.ResponseWriter, r *http.Request) (x402.VerifyRequest, bool) {
	v, err := x402.ParseVerifyRequest(r.Body)
	if err != nil {
		writeError(w, http.StatusBadRequest, "invalid_payload", err.Error())
		return v, false
	}
	return v, true
}

func (g *Gateway) verifyRoute(w http.ResponseWriter, r *http.Request) {
	v, ok := g.readVerify(w, r)
	if !ok {
		return
	}
	j, bad := g.judge(r, v)
	if bad == nil {
		j.account.mu.Lock()
		defer j.account.mu.Unlock()
		if bad = g.take(j.account, j.voucher, j.offer.amount); bad == nil {
			writeJSON(w, http.StatusOK, x402.VerifyResponse{IsValid: true, Payer: j.account.rec.Payer, Extra: j.account.state()})
			return
		}
	}
	if bad.status >= 500 {
		writeError(w, bad.status, bad.reason, bad.message)
		return
	}
	resp := x402.VerifyResponse{InvalidReason: bad.reason, InvalidMessage: bad.message}
	if j.account != nil {
		resp.Payer, resp.Extra = j.account.rec.Payer, j.account.state()
	}
	writeJSON(w, http.StatusOK, resp)
}

func (g *Gateway) settleRoute(w http.ResponseWriter, r *http.Request) {
	v, ok := g.readVerify(w, r)
	if !ok {
		return
	}
	header, err := x402.Encode(v.PaymentPayload)
	if err != nil {
		writeError(w, http.StatusBadRequest, "invalid_payload", err.Error())
		return
	}
	resource := ""
	if v.PaymentPayload.Resource != nil {
		resource = v.PaymentPayload.Resource.URL
	}
	_, identifier := v.PaymentPayload.Read()
	c := newCall(r, identifier, header, resource[:min(len(resource), 2048)])
	id, err := v.PaymentPayload.Payload.Voucher.Parse()
	if err != nil {
		writeJSON(w, http.StatusOK, g.failed(x402.ReasonScheme, "no voucher", ""))
		return
	}
	key := string(id.ChannelID) + c.identifier
	running, closed := g.enter(key, c)
	switch {
	case closed:
		writeError(w, http.StatusServiceUnavailable, x402.ReasonSettleFailed, "the gateway is closing; ask again")
		return
	case running != nil:
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusServiceUnavailable, x402.ReasonBusy, "this payment is being settled; ask again")
		return
	}
	defer g.leave(key, c)

	var answer answerRecord
	known, err := g.store.get(keyed(kindAnswer, id.ChannelID, []byte(c.identifier)), &answer)
	switch {
	case err != nil:
		writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, "the gateway can't read its books")
		return
	case known && (string(answer.Hash) != string(c.hash) || answer.Print != c.print):
		writeError(w, http.StatusConflict, "identifier_in_use", "this payment-identifier belongs to another payment")
		return
	case known && answer.Settlement != nil:
		writeJSON(w, http.StatusOK, answer.Settlement)
		return
	}
	j, bad := g.judge(r, v)
	if bad == nil {
		bad = g.reserve(r.Context(), j.account, j.voucher, j.offer, c)
	}
	if bad != nil {
		if bad.status >= 500 {
			writeError(w, bad.status, bad.reason, bad.message)
			return
		}
		payer := ""
		if j.account != nil {
			payer = j.account.payer()
		}
		writeJSON(w, http.StatusOK, g.failed(bad.reason, bad.message, payer))
		return
	}
	m := &Meter{g: g, c: c, ceiling: j.offer.units, step: j.offer.amount, ctx: r.Context()}
	m.w = &paidWriter{w: w, header: http.Header{}, m: m, status: http.StatusOK}
	m.w.streaming.Store(true) // there is no answer to keep, beside the settlement
	s := m.settle(true)
	if s == nil {
		writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, "the gateway can't keep its books; ask again with the same payment")
		return
	}
	writeJSON(w, http.StatusOK, s)
}

func (g *Gateway) failed(reason, message, payer string) x402.Settlement {
	return x402.Settlement{ErrorReason: reason, ErrorMessage: message, Payer: payer, Network: x402.Network(g.chainID)}
}

func (g *Gateway) supportedRoute(w http.ResponseWriter, r *http.Request) {
	hotkey := g.current(r.Context()).Hotkey
	extra, err := json.Marshal(map[string]any{"receiverAuthorizer": hotkey, "withdrawDelay": g.cfg.CloseDelay, "serviceId": x402.Amount(g.cfg.ServiceID)})
	if err != nil {
		writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, x402.Supported{
		Kinds:      []x402.Kind{{X402Version: x402.Version, Scheme: x402.Scheme, Network: x402.Network(g.chainID), Extra: extra}},
		Extensions: []string{x402.ExtensionIdentifier}, Signers: map[string][]string{"cosmos:*": {hotkey}},
	})
}

// Bounds of a page of /discovery/resources.
const (
	pageDefault = 20
	pageMost    = 100
)

func (g *Gateway) discoveryRoute(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, err := number(q.Get("limit"), pageDefault, 1, pageMost)
	offset, err2 := number(q.Get("offset"), 0, 0, 1<<31-1)
	if err = errors.Join(err, err2); err != nil {
		writeError(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	services, err := g.cfg.Chain.Services(r.Context())
	if err != nil {
		w.Header().Set("Retry-After", "5")
		writeError(w, http.StatusServiceUnavailable, x402.ReasonFacilitator, "the catalogue can't be asked now")
		return
	}
	if want := q.Get("type"); want != "" {
		services = slices.DeleteFunc(slices.Clone(services), func(s markettypes.ServiceInfo) bool {
			_, kind := EndpointKind(s.Service.Endpoint)
			return kind != want
		})
	}
	page := x402.Discovery{X402Version: x402.Version, Items: []x402.Item{}, Pagination: x402.Pagination{Limit: limit, Offset: offset, Total: len(services)}}
	for _, s := range services[min(offset, len(services)):min(offset+limit, len(services))] {
		// What one request costs is told by its 402; here is the price of `per` units.
		offers, err := g.offers(&s, s.Service.Per, 10*time.Minute)
		if err != nil {
			writeError(w, http.StatusInternalServerError, x402.ReasonFacilitator, err.Error())
			return
		}
		url, kind := EndpointKind(s.Service.Endpoint)
		item := x402.Item{Resource: url, Type: kind, X402Version: x402.Version,
			Metadata: map[string]string{
				"name": s.Service.Name, "description": s.Service.Description, "provider": s.Hotkey, "netuid": strconv.FormatUint(uint64(s.Service.Netuid), 10),
				"unit": s.Service.Unit.Word(), "terms": s.Service.Terms, "updatedHeight": strconv.FormatInt(s.Service.UpdatedHeight, 10),
			}}
		for _, o := range offers {
			if s.Service.Id != g.cfg.ServiceID { // what its gateway asks for beside is not in the catalogue
				o.terms.WithdrawDelay, o.terms.MinDeposit = 0, ""
				if o.requirements, err = o.requirements.WithTerms(o.terms); err != nil {
					writeError(w, http.StatusInternalServerError, x402.ReasonFacilitator, err.Error())
					return
				}
			}
			item.Accepts = append(item.Accepts, o.requirements)
		}
		page.Items = append(page.Items, item)
	}
	writeJSON(w, http.StatusOK, page)
}

// EndpointKind is where a service answers, by its record in the catalogue, and what is
// spoken there: http, or mcp where the endpoint ends in #mcp. That is a fragment, which
// HTTP clients don't send.
func EndpointKind(endpoint string) (url, kind string) {
	if url, ok := strings.CutSuffix(endpoint, "#mcp"); ok {
		return url, "mcp"
	}
	return endpoint, "http"
}

func number(s string, byDefault, least, most int) (int, error) {
	if s == "" {
		return byDefault, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		return 0, errors.New("limit is from 1 to 100, offset from 0 up")
	}
	return n, nil
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that is gone asks again
}
