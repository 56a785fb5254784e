package inference

import (
	"net/http"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/x402"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// ServiceName is the name that a miner's service has in the catalogue.
const ServiceName = "inference"

// Listing is what the catalogue says of a miner that customers pay; price is in rao, for
// [PricePer] units.
func Listing(hotkey string, netuid uint16, endpoint string, price uint64) markettypes.MsgListService {
	return markettypes.MsgListService{
		Hotkey: hotkey, Netuid: uint32(netuid), Name: ServiceName, Endpoint: endpoint,
		Description: "Answers of a language model; the miner's card says which.",
		Unit:        markettypes.UNIT_TOKEN, Price: price, Per: PricePer,
		Terms: "Four tokens of a prompt cost as much as one of an answer. Charged as the answer comes; without a first token nothing is charged.",
	}
}

// Sell opens the miner to customers: from now on they pay here; nil: they can't any more.
func (m *Miner) Sell(till *pay.Gateway) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.till = till
}

// cashier returns who takes the money, nil where everything is free. Where customers can't
// pay yet it answers them itself.
func (m *Miner) cashier(w http.ResponseWriter, r *http.Request) (till *pay.Gateway, ok bool) {
	if m.cfg.Price == 0 {
		return nil, true
	}
	m.mu.Lock()
	till = m.till
	m.mu.Unlock()
	if till != nil {
		return till, true
	}
	m.add(func(s *MinerStats) { s.Refused++ })
	status := http.StatusServiceUnavailable
	if r.Header.Get(x402.HeaderSignature) != "" {
		// Who has paid takes the other for an answer that was lost on its way, asks for it
		// again and again, and counts it as charged.
		status = http.StatusTooManyRequests
	}
	refuse(w, status, codeNotReady, "this miner sells, and has not listed its service yet", "try again in some seconds, or another miner")
	return nil, false
}

// sold is a handler behind the till, where there is one. Its path says how many units are
// reserved at a time. Vouchers that a stream asks for come to the same path, as HEAD.
func (m *Miner) sold(what string, next http.HandlerFunc) http.HandlerFunc {
	posted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			refuse(w, http.StatusMethodNotAllowed, "invalid", "this is asked by POST", "")
			return
		}
		next(w, r)
	})
	return func(w http.ResponseWriter, r *http.Request) {
		units, err := readUnits(r.PathValue("units"))
		if err != nil {
			refuse(w, http.StatusBadRequest, "invalid", err.Error(), "")
			return
		}
		till, ok := m.cashier(w, r)
		switch {
		case !ok:
		case till == nil || r.Method != http.MethodPost && r.Header.Get(x402.HeaderSignature) == "":
			posted(w, r)
		default:
			till.Handler(pay.Route{
				Units: pay.Flat(units), Description: what, MimeType: eventStream, Timeout: callTime,
			}, posted).ServeHTTP(w, r)
		}
	}
}
