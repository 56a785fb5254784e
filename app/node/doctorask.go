package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	ctypes "github.com/cometbft/cometbft/rpc/core/types"

	errorsmod "cosmossdk.io/errors"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/types/query"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

const (
	askTimeout = 5 * time.Second
	// maxPages bounds how long the doctor looks for its validator among all.
	maxPages = 50
)

// source is a node that answers.
type source struct {
	url     string
	rpc     *rpchttp.HTTP
	status  *ctypes.ResultStatus
	version string
	skew    time.Duration // how far its clock is before this one's
	error   time.Duration // of skew, at most
}

// connect asks the home's node, if it runs, and the others.
func (d *doctor) connect(others []string) {
	if d.loaded {
		if addr := strings.TrimPrefix(d.settings.comet.RPC.ListenAddress, "tcp://"); addr != "" {
			if own, err := ask(d.context, "http://"+reachable(addr)); err == nil && d.isOwn(own) {
				d.own = own
				if key := own.status.ValidatorInfo.PubKey; d.remote && key != nil { // the signer's
					d.key, _ = cryptocodec.FromCmtPubKeyInterface(key) // nil: of no kind that a validator has
				}
			}
		}
	}
	for _, url := range others {
		o, err := ask(d.context, url)
		if err != nil {
			d.silent = append(d.silent, fmt.Sprintf("%s does not answer: %v", url, err))
			continue
		}
		d.others = append(d.others, o)
	}
}

// isOwn tells whether a node is that of the home, and not another that took its port.
func (d *doctor) isOwn(s *source) bool {
	key, err := loadNodeKey(d.settings.comet.NodeKeyFile())
	return err != nil || key.ID() == s.status.NodeInfo.DefaultNodeID
}

func ask(ctx context.Context, url string) (*source, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	dated := &dates{base: http.DefaultTransport.(*http.Transport).Clone()}
	defer dated.base.CloseIdleConnections()
	rpc, err := rpchttp.NewWithClient(url, "/websocket", &http.Client{Transport: dated, Timeout: askTimeout})
	if err != nil {
		return nil, err
	}
	s := &source{url: url, rpc: rpc}
	if s.status, err = rpc.Status(ctx); err != nil {
		return nil, err
	}
	s.skew, s.error = dated.skew, dated.error
	info, err := rpc.ABCIInfo(ctx)
	if err != nil {
		return nil, err
	}
	s.version = info.Response.Version
	return s, nil
}

// dates reads a server's clock from its answers' headers.
type dates struct {
	base        *http.Transport
	skew, error time.Duration
}

func (d *dates) RoundTrip(r *http.Request) (*http.Response, error) {
	begin := time.Now()
	res, err := d.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = http.MaxBytesReader(nil, res.Body, 64<<20)
	took := time.Since(begin)
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		// The header has whole seconds: the middle of that second, when half of the
		// call had passed.
		d.skew = date.Add(time.Second / 2).Sub(begin.Add(took / 2))
		d.error = time.Second/2 + took/2
	}
	return res, nil
}

type protoMessage interface {
	Marshal() ([]byte, error)
	Unmarshal([]byte) error
}

// errNothing says that the chain has nothing of the kind.
var errNothing = errors.New("not found")

// query asks a module of the chain.
func (s *source) query(ctx context.Context, method string, req, res protoMessage) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	raw, err := req.Marshal()
	if err != nil {
		return err
	}
	r, err := s.rpc.ABCIQuery(ctx, method, raw)
	if err != nil {
		return err
	}
	if got := r.Response; got.Code != 0 {
		if space, code, _ := errorsmod.ABCIInfo(sdkerrors.ErrKeyNotFound, false); space == got.Codespace && code == got.Code {
			return errNothing
		}
		return errors.New(got.Log)
	}
	return res.Unmarshal(r.Response.Value)
}

// validator is the one that has the home's key, of all that the chain has; errNothing
// says that none has.
func (d *doctor) validator(s *source) (stakingtypes.Validator, error) {
	want, err := codectypes.NewAnyWithValue(d.key)
	if err != nil {
		return stakingtypes.Validator{}, err
	}
	page := &query.PageRequest{Limit: 200}
	for range maxPages {
		var list stakingtypes.QueryValidatorsResponse
		if err := s.query(d.context, "/cosmos.staking.v1beta1.Query/Validators", &stakingtypes.QueryValidatorsRequest{Pagination: page}, &list); err != nil {
			return stakingtypes.Validator{}, err
		}
		for _, v := range list.Validators {
			if k := v.ConsensusPubkey; k != nil && k.TypeUrl == want.TypeUrl && string(k.Value) == string(want.Value) {
				return v, nil
			}
		}
		if list.Pagination == nil || len(list.Pagination.NextKey) == 0 {
			return stakingtypes.Validator{}, errNothing
		}
		page = &query.PageRequest{Limit: 200, Key: list.Pagination.NextKey}
	}
	return stakingtypes.Validator{}, fmt.Errorf("it is not among the first %d validators", maxPages*200)
}
