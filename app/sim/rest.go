package sim

import (
	"reflect"
	"strings"

	"github.com/cosmos/gogoproto/proto"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// rest tries what a run has not come to: what nothing in the state asks for is tried
// blindly, and refused.
func (s *sim) rest() {
	for range 10 {
		var left []string
		for _, url := range sorted(s.table) {
			if s.report.Messages[url] == nil {
				left = append(left, url)
			}
		}
		if len(left) == 0 {
			return
		}
		s.look()
		clear(s.sequence)
		s.mempool = nil
		for _, url := range left {
			m := s.table[url].make(s)
			if m == nil {
				m = s.blind(url)
			}
			if s.table[url].gov {
				impersonate(m, s.operators()[1].text)
			}
			if t := s.transaction([]sdk.Msg{m}); t != nil {
				s.mempool = append(s.mempool, t)
			}
		}
		s.advance(s.propose(s.block(), s.mempool))
	}
}

// blind is a message that names the same operator everywhere.
func (s *sim) blind(url string) sdk.Msg {
	m := reflect.New(proto.MessageType(strings.TrimPrefix(url, "/")).Elem())
	var leaves []reflect.Value
	collect(m, &leaves)
	for _, v := range leaves {
		switch v.Kind() {
		case reflect.String:
			v.SetString(s.operators()[1].text)
			if strings.HasPrefix(url, "/cosmos.slashing.") {
				v.SetString(s.operators()[1].validator())
			}
		case reflect.Uint32, reflect.Uint64:
			v.SetUint(1)
		}
	}
	return m.Interface().(sdk.Msg)
}
