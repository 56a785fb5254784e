package console

import "net/http"

const (
	get  = http.MethodGet
	post = http.MethodPost
)

var page = []string{"limit", "after"}

// api are the routes that answer with JSON, as openapi.yaml has them.
var api = []route{
	{get, "/v1/status", nil, (*Server).status},
	{get, "/v1/home", nil, (*Server).home},
	{get, "/v1/subnets", nil, (*Server).subnets},
	{get, "/v1/subnets/{netuid}", nil, (*Server).subnet},
	{get, "/v1/subnets/{netuid}/metagraph", []string{"format"}, (*Server).metagraph},
	{get, "/v1/subnets/{netuid}/weights", nil, (*Server).weights},
	{get, "/v1/subnets/{netuid}/bonds", nil, (*Server).bonds},
	{get, "/v1/subnets/{netuid}/candles", []string{"interval", "from", "to", "limit", "after"}, historic((*Server).candles)},
	{get, "/v1/subnets/{netuid}/emission", []string{"from", "to", "limit", "after"}, historic((*Server).emission)},
	{get, "/v1/subnets/{netuid}/registrations", page, historic((*Server).registrations)},
	{get, "/v1/validators", page, (*Server).validators},
	{get, "/v1/accounts/{address}", nil, (*Server).account},
	{get, "/v1/accounts/{address}/stakes", page, (*Server).stakes},
	{get, "/v1/accounts/{address}/channels", page, (*Server).channels},
	{get, "/v1/accounts/{address}/allowances", page, (*Server).allowances},
	{get, "/v1/accounts/{address}/delegations", page, (*Server).delegations},
	{get, "/v1/accounts/{address}/portfolio", nil, (*Server).portfolio},
	{get, "/v1/accounts/{address}/income", page, historic(ofAccount(ofIncome, Index.Income))},
	{get, "/v1/accounts/{address}/registrations", page, historic(ofAccount(ofAccountRegistrations, Index.AccountRegistrations))},
	{get, "/v1/accounts/{address}/transactions", page, historic(ofAccount(ofAccountTransactions, Index.AccountTransactions))},
	{get, "/v1/accounts/{address}/history.csv", nil, historic((*Server).history)},
	{get, "/v1/transactions", page, historic((*Server).transactions)},
	{get, "/v1/transactions/{hash}", nil, historic((*Server).transaction)},
	{get, "/v1/blocks", page, historic((*Server).blocks)},
	{get, "/v1/blocks/{height}", nil, historic((*Server).block)},
	{get, "/v1/search", []string{"q"}, (*Server).search},
	{get, "/v1/market/services", []string{"limit", "after", "netuid", "hotkey"}, (*Server).services},
	{get, "/v1/market/services/{id}", nil, (*Server).service},
	{get, "/v1/chain/validators", page, (*Server).chainValidators},
	{get, "/v1/chain/proposals", page, (*Server).proposals},
	{get, "/v1/chain/proposals/{id}", []string{"voter"}, (*Server).proposal},
	{get, "/v1/chain/proposals/{id}/votes", page, (*Server).votes},
	{get, "/v1/chain/params", nil, (*Server).params},
	{get, "/v1/chain/account/{address}", nil, (*Server).chainAccount},
	{post, "/v1/chain/simulate", nil, (*Server).simulate},
	{post, "/v1/chain/broadcast", nil, (*Server).broadcast},
	{get, "/v1/chain/quote", []string{"kind", "netuid", "to_netuid", "amount", "slippage"}, (*Server).quote},
}
