package x402

import (
	"encoding/json"
	"strings"
)

// Names of the protocol.
const (
	Version = 2
	Scheme  = "batch-settlement"
	// Asset is what pay-by-use amounts are in, AssetUnit what a plan's are in.
	Asset     = "rao"
	AssetUnit = "unit"

	HeaderRequired  = "PAYMENT-REQUIRED"
	HeaderSignature = "PAYMENT-SIGNATURE"
	HeaderResponse  = "PAYMENT-RESPONSE"

	// Types of a payload.
	TypeVoucher = "voucher"
	TypeDeposit = "deposit"
	TypeRefund  = "refund"

	// Events in a stream.
	EventNeedVoucher = "payment-need-voucher"
	EventResponse    = "payment-response"

	networkPrefix = "cosmos:"
)

// Reasons of refusals, in Required.Error, VerifyResponse.InvalidReason and
// Settlement.ErrorReason. Those that the scheme has on other networks have its names.
const (
	ReasonCumulative   = "invalid_batch_settlement_cosmos_cumulative_amount_mismatch" // the corrective one
	ReasonNoChannel    = "invalid_batch_settlement_cosmos_channel_not_found"
	ReasonSignature    = "invalid_batch_settlement_cosmos_voucher_signature"
	ReasonOverBalance  = "invalid_batch_settlement_cosmos_cumulative_exceeds_balance"
	ReasonReceiver     = "invalid_batch_settlement_cosmos_receiver_mismatch"
	ReasonDelay        = "invalid_batch_settlement_cosmos_withdraw_delay_mismatch"
	ReasonClosing      = "invalid_batch_settlement_cosmos_channel_closing"
	ReasonContested    = "invalid_batch_settlement_cosmos_channel_contested"
	ReasonPlan         = "invalid_batch_settlement_cosmos_plan_ended"
	ReasonDeposit      = "invalid_batch_settlement_cosmos_deposit_too_small"
	ReasonType         = "invalid_batch_settlement_cosmos_payload_type"
	ReasonBusy         = "invalid_batch_settlement_cosmos_channel_busy"
	ReasonTerms        = "invalid_payment_requirements" // the terms have changed, or never were ours
	ReasonNetwork      = "invalid_network"
	ReasonScheme       = "unsupported_scheme"
	ReasonFacilitator  = "unexpected_verify_error"
	ReasonMissing      = "PAYMENT-SIGNATURE header is required"
	ReasonSettleFailed = "unexpected_settle_error"
)

// KnownReason says whether a reason is one of those above, and not whatever a server likes.
func KnownReason(s string) bool {
	switch s {
	case ReasonCumulative, ReasonNoChannel, ReasonSignature, ReasonOverBalance, ReasonReceiver, ReasonDelay, ReasonClosing, ReasonContested, ReasonPlan,
		ReasonDeposit, ReasonType, ReasonBusy, ReasonTerms, ReasonNetwork, ReasonScheme, ReasonFacilitator, ReasonMissing, ReasonSettleFailed:
		return true
	}
	return false
}

// Network is the CAIP-2 name of a chain.
func Network(chainID string) string { return networkPrefix + chainID }

// ChainID is the chain that a network names; false for those of other kinds.
func ChainID(network string) (string, bool) {
	id, ok := strings.CutPrefix(network, networkPrefix)
	return id, ok && id != ""
}

// Resource says what is paid for.
type Resource struct {
	URL         string   `json:"url"`
	Description string   `json:"description,omitempty"`
	MimeType    string   `json:"mimeType,omitempty"`
	ServiceName string   `json:"serviceName,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	IconURL     string   `json:"iconUrl,omitempty"`
}

// Requirements are terms on which a server serves. Extra is the scheme's; see [Terms].
type Requirements struct {
	Scheme            string          `json:"scheme"`
	Network           string          `json:"network"`
	Amount            string          `json:"amount"`
	Asset             string          `json:"asset"`
	PayTo             string          `json:"payTo"`
	MaxTimeoutSeconds int64           `json:"maxTimeoutSeconds"`
	Extra             json.RawMessage `json:"extra,omitempty"`
}

// Extensions are protocol extensions by name, as each wrote itself.
type Extensions map[string]json.RawMessage

// Required is what the header PAYMENT-REQUIRED says.
type Required struct {
	X402Version int            `json:"x402Version"`
	Error       string         `json:"error,omitempty"`
	Resource    Resource       `json:"resource"`
	Accepts     []Requirements `json:"accepts"`
	Extensions  Extensions     `json:"extensions,omitempty"`
}

// Payment is what the header PAYMENT-SIGNATURE says: PaymentPayload of the
// specification.
type Payment struct {
	X402Version int          `json:"x402Version"`
	Resource    *Resource    `json:"resource,omitempty"`
	Accepted    Requirements `json:"accepted"`
	Payload     Payload      `json:"payload"`
	Extensions  Extensions   `json:"extensions,omitempty"`

	voucher    Parsed // of Payload
	identifier string // of Extensions
}

// Payload is what the scheme sends.
type Payload struct {
	Type    string   `json:"type"`
	Voucher Voucher  `json:"voucher"`
	Deposit *Deposit `json:"deposit,omitempty"`
	// Stream is the payment-identifier of the stream's request for which this voucher is
	// handed in: nothing else is asked for then.
	Stream string `json:"stream,omitempty"`
}

// Voucher is a signed one.
type Voucher struct {
	ChannelID          string `json:"channelId"`          // 64 hexadecimal digits
	MaxClaimableAmount string `json:"maxClaimableAmount"` // cumulative
	Signature          string `json:"signature"`          // 128 hexadecimal digits
}

// Deposit tells a gateway that a channel was opened or topped up just now.
type Deposit struct {
	Amount      string `json:"amount"`      // rao
	Transaction string `json:"transaction"` // hash
}

// Terms are Requirements.Extra of the scheme on Lode.
type Terms struct {
	ReceiverAuthorizer string `json:"receiverAuthorizer"` // the hotkey, which redeems
	WithdrawDelay      int64  `json:"withdrawDelay"`      // seconds: least close delay of a channel
	MinDeposit         string `json:"minDeposit,omitempty"`
	ServiceID          string `json:"serviceId"`
	Unit               string `json:"unit"`  // request, token, gib_month, video_minute, task
	Price              string `json:"price"` // rao for Per units
	Per                string `json:"per"`
	PlanID             string `json:"planId,omitempty"`
	PlanName           string `json:"planName,omitempty"`
	PlanPeriod         int64  `json:"planPeriod,omitempty"` // seconds
	PlanQuota          string `json:"planQuota,omitempty"`  // units a period
	PlanPrice          string `json:"planPrice,omitempty"`  // rao a period

	// In a corrective answer alone.
	ChannelState *ChannelState `json:"channelState,omitempty"`
	VoucherState *VoucherState `json:"voucherState,omitempty"`
}

// ChannelState is how a gateway sees a channel.
type ChannelState struct {
	ChannelID               string `json:"channelId"`
	Balance                 string `json:"balance"`      // all that was deposited; of a plan the units up to the period's end
	TotalClaimed            string `json:"totalClaimed"` // on chain
	WithdrawRequestedAt     int64  `json:"withdrawRequestedAt"`
	ChargedCumulativeAmount string `json:"chargedCumulativeAmount"`
}

// VoucherState is the newest voucher that a gateway has of a channel.
type VoucherState struct {
	SignedMaxClaimable string `json:"signedMaxClaimable"`
	Signature          string `json:"signature"`
}

// Settlement is what the header PAYMENT-RESPONSE says: SettleResponse of the
// specification.
type Settlement struct {
	Success      bool            `json:"success"`
	ErrorReason  string          `json:"errorReason,omitempty"`
	ErrorMessage string          `json:"errorMessage,omitempty"`
	Payer        string          `json:"payer,omitempty"`
	Transaction  string          `json:"transaction"` // empty: vouchers are redeemed later
	Network      string          `json:"network"`
	Amount       string          `json:"amount"` // empty, see Extra
	Extensions   Extensions      `json:"extensions,omitempty"`
	Extra        SettlementExtra `json:"extra"`
}

// SettlementExtra is Settlement.Extra of the scheme.
type SettlementExtra struct {
	CommitmentID string `json:"commitmentId,omitempty"`
	// ChargedAmount is absent at the head of a stream: its end says it.
	ChargedAmount string        `json:"chargedAmount,omitempty"`
	ChannelState  *ChannelState `json:"channelState,omitempty"`
}

// NeedVoucher is the data of the event payment-need-voucher.
type NeedVoucher struct {
	ChannelID          string `json:"channelId"`
	RequiredCumulative string `json:"requiredCumulative"` // the next voucher must say so much
	AcceptedCumulative string `json:"acceptedCumulative"` // the newest one says
	// Additional is what this stream may cost more from then on. What other requests of
	// the channel were promised is theirs: a client that counts by request signs for this
	// beside it.
	Additional string `json:"additionalAmount,omitempty"`
	Deposit    string `json:"deposit"` // more than this can't be signed for
}

// VerifyRequest asks a facilitator about a payment, and whether to settle it.
type VerifyRequest struct {
	X402Version         int          `json:"x402Version"`
	PaymentPayload      Payment      `json:"paymentPayload"`
	PaymentRequirements Requirements `json:"paymentRequirements"`
}

// VerifyResponse is what a facilitator says of a payment.
type VerifyResponse struct {
	IsValid        bool          `json:"isValid"`
	InvalidReason  string        `json:"invalidReason,omitempty"`
	InvalidMessage string        `json:"invalidMessage,omitempty"`
	Payer          string        `json:"payer,omitempty"`
	Extra          *ChannelState `json:"extra,omitempty"`
}

// Supported is what a facilitator can do.
type Supported struct {
	Kinds      []Kind              `json:"kinds"`
	Extensions []string            `json:"extensions"`
	Signers    map[string][]string `json:"signers"`
}

// Kind is a scheme on a network.
type Kind struct {
	X402Version int             `json:"x402Version"`
	Scheme      string          `json:"scheme"`
	Network     string          `json:"network"`
	Extra       json.RawMessage `json:"extra,omitempty"`
}

// Discovery is a page of what can be bought.
type Discovery struct {
	X402Version int        `json:"x402Version"`
	Items       []Item     `json:"items"`
	Pagination  Pagination `json:"pagination"`
}

// Item is something that can be bought. The specification's lastUpdated, a time, is left
// out: the catalogue knows heights.
type Item struct {
	Resource    string            `json:"resource"`
	Type        string            `json:"type"`
	X402Version int               `json:"x402Version"`
	Accepts     []Requirements    `json:"accepts"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

// Pagination says where in the whole a page is.
type Pagination struct {
	Limit  int `json:"limit"`
	Offset int `json:"offset"`
	Total  int `json:"total"`
}
