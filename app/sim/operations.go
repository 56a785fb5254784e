package sim

import (
	"reflect"
	"slices"

	"github.com/cosmos/gogoproto/proto"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
)

// generator makes a message of a kind that will most likely succeed, by what the last
// blocks' state shows; nil where there is nothing to do.
type generator struct {
	weight int // how often it is chosen; governance's are chosen for proposals
	make   func(*sim) sdk.Msg
	gov    bool
}

// Messages are the names of all messages that a run sends.
func Messages() []string { return sorted(generators()) }

// authority is governance.
var authority = authtypes.NewModuleAddress(govtypes.ModuleName).String()

// table is a set of generators by their messages' names.
type table map[string]generator

func (t table) add(m sdk.Msg, weight int, make func(*sim) sdk.Msg) {
	t[sdk.MsgTypeURL(m)] = generator{weight: weight, make: make}
}

func (t table) govern(m sdk.Msg, weight int, make func(*sim) sdk.Msg) {
	t[sdk.MsgTypeURL(m)] = generator{weight: weight, make: make, gov: true}
}

// generators are those of every message of the chain; a test holds the list against
// the registry's.
func generators() table {
	t := table{}
	t.alpha()
	t.coldkeySwaps()
	t.subnets()
	t.weights()
	t.collateral()
	t.market()
	t.bank()
	t.staking()
	t.distribution()
	t.gov()
	t.grants()
	t.params()
	return t
}

// lottery draws from a table by weights, always in the same order.
type lottery struct {
	urls  []string
	upTo  []int
	total int
	table table
}

func newLottery(t table, gov bool) *lottery {
	l := &lottery{table: t}
	for _, url := range sorted(t) {
		if g := t[url]; g.gov == gov && g.weight > 0 {
			l.total += g.weight
			l.urls, l.upTo = append(l.urls, url), append(l.upTo, l.total)
		}
	}
	return l
}

// draw makes a message; nil only where nothing at all can be done. One of a few is of
// the kind that was done least.
func (l *lottery) draw(s *sim) sdk.Msg {
	if s.n(8) == 0 {
		least, of := "", 0
		for _, url := range l.urls {
			done := 0
			if t := s.report.Messages[url]; t != nil {
				done = 3*t.Done + t.Tried
			}
			if (least == "" || done < of) && s.n(3) > 0 {
				least, of = url, done
			}
		}
		if least != "" {
			if m := l.table[least].make(s); m != nil {
				return m
			}
		}
	}
	for range 40 {
		x := s.n(l.total)
		i, _ := slices.BinarySearch(l.upTo, x+1)
		if m := l.table[l.urls[i]].make(s); m != nil {
			return m
		}
	}
	return nil
}

// operation is what somebody does next. A part of it is hostile: something in it is
// wrong, or it is said before or after its time.
func (s *sim) operation() sdk.Msg {
	if s.n(150) == 0 { // somebody plays governance
		m := s.laws.draw(s)
		if m != nil {
			impersonate(m, s.anybody().text)
		}
		return m
	}
	m := s.lottery.draw(s)
	if m != nil && s.n(14) == 0 {
		s.spoilMessage(m)
	}
	return m
}

// impersonate puts another address in governance's place.
func impersonate(m sdk.Msg, who string) {
	v := reflect.ValueOf(m).Elem()
	for _, f := range []string{"Authority", "Signer"} {
		if f := v.FieldByName(f); f.IsValid() && f.Kind() == reflect.String && f.String() == authority {
			f.SetString(who)
		}
	}
}

// spoilMessage changes one field of a message: to another person, to nothing, to the
// most, to one more or less.
func (s *sim) spoilMessage(m sdk.Msg) {
	var leaves []reflect.Value
	collect(reflect.ValueOf(m), &leaves)
	if len(leaves) == 0 {
		return
	}
	s.spoilValue(leaves[s.n(len(leaves))])
	if _, err := proto.Marshal(m); err != nil {
		fail("a spoilt %s can't be encoded: %w", sdk.MsgTypeURL(m), err)
	}
}

var (
	intType = reflect.TypeOf(sdkmath.Int{})
	decType = reflect.TypeOf(sdkmath.LegacyDec{})
)

// collect finds what of a message can be changed.
func collect(v reflect.Value, out *[]reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && v.Type().Elem().Name() != "Any" {
			collect(v.Elem(), out)
		}
	case reflect.Struct:
		if v.Type() == intType || v.Type() == decType {
			*out = append(*out, v)
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				collect(v.Field(i), out)
			}
		}
	case reflect.Slice:
		*out = append(*out, v)
		if v.Type().Elem().Kind() != reflect.Uint8 {
			for i := range v.Len() {
				collect(v.Index(i), out)
			}
		}
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64, reflect.Uint32, reflect.Uint64:
		*out = append(*out, v)
	}
}

func (s *sim) spoilValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		s.spoilText(v)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int32, reflect.Int64:
		v.SetInt([]int64{0, -1, 1, v.Int() + 1, v.Int() - 1, 1<<31 - 1}[s.n(6)])
	case reflect.Uint32:
		v.SetUint([]uint64{0, 1, v.Uint() + 1, v.Uint() * 2, 1<<32 - 1, 65_536}[s.n(6)] & (1<<32 - 1))
	case reflect.Uint64:
		v.SetUint([]uint64{0, 1, v.Uint() + 1, v.Uint() * 2, 1<<64 - 1, 1 << 63, uint64(s.rng.Int64())}[s.n(7)])
	case reflect.Slice:
		switch n := v.Len(); {
		case n > 0 && s.n(3) == 0:
			v.Set(reflect.Append(v.Slice(0, n), v.Index(s.n(n)))) // the last one twice
		case n > 0 && s.n(2) == 0:
			v.Set(v.Slice(0, n-1))
		default:
			v.Set(reflect.Zero(v.Type()))
		}
	case reflect.Struct:
		if v.Type() == intType {
			v.Set(reflect.ValueOf([]sdkmath.Int{
				sdkmath.ZeroInt(), sdkmath.OneInt(), sdkmath.NewInt(-1), sdkmath.NewIntFromUint64(1<<64 - 1), sdkmath.NewIntFromUint64(1 << 63).MulRaw(1 << 62),
			}[s.n(5)]))
		} else {
			v.Set(reflect.ValueOf([]sdkmath.LegacyDec{
				sdkmath.LegacyZeroDec(), sdkmath.LegacyOneDec(), sdkmath.LegacyNewDec(-1), sdkmath.LegacyNewDec(1 << 40),
			}[s.n(4)]))
		}
	}
}

// spoilText replaces an address by another, and other text by something else.
func (s *sim) spoilText(v reflect.Value) {
	old := v.String()
	switch {
	case s.byText[old] != nil && s.n(4) > 0:
		v.SetString(s.anybody().text)
	case s.n(3) == 0:
		v.SetString("")
	case s.n(3) == 0:
		v.SetString(authority)
	case s.n(3) == 0:
		v.SetString(s.operators()[s.n(operators)].validator())
	default:
		v.SetString(old + "x")
	}
}
