package cli

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	protov2 "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// messageWords say what a message does: a sentence for what people sign every day, else
// what the protocol says of it with all of its fields.
func messageWords(msg sdk.Msg, names map[string]string) []string {
	key := func(a string) string { return fullKey(a, names) }
	tao := func(rao uint64) string { return client.FormatTAO(rao) + " TAO" }
	alpha := func(units uint64) string { return client.FormatAlpha(units) + " alpha" }
	limit := func(price uint64, partial bool) string {
		if partial {
			return fmt.Sprintf("the price may end at %s, what is beyond it stays", limitText(price))
		}
		return fmt.Sprintf("the price may end at %s, else nothing is done", limitText(price))
	}
	switch m := msg.(type) {
	case *banktypes.MsgSend:
		return []string{fmt.Sprintf("send %s to %s", coinsText(m.Amount), key(m.ToAddress))}
	case *alphatypes.MsgBindHotkey:
		return []string{fmt.Sprintf("bind the hotkey %s to the coldkey %s, for good", key(m.Hotkey), key(m.Coldkey))}
	case *alphatypes.MsgStake:
		return []string{fmt.Sprintf("stake %s in subnet %d on %s", tao(m.Tao), m.Netuid, key(m.Hotkey)), limit(m.LimitPrice, m.AllowPartial)}
	case *alphatypes.MsgUnstake:
		return []string{fmt.Sprintf("sell %s of subnet %d, staked on %s", alpha(m.Alpha), m.Netuid, key(m.Hotkey)), limit(m.LimitPrice, m.AllowPartial)}
	case *alphatypes.MsgUnstakeAll:
		lines := []string{"sell all that is staked on " + key(m.Hotkey)}
		for _, s := range m.Subnets {
			lines = append(lines, fmt.Sprintf("in subnet %d: %s", s.Netuid, limit(s.LimitPrice, m.AllowPartial)))
		}
		return lines
	case *alphatypes.MsgMoveStake:
		return []string{fmt.Sprintf("move %s of subnet %d from %s", alpha(m.Alpha), m.Netuid, key(m.FromHotkey)), "to " + key(m.ToHotkey)}
	case *alphatypes.MsgSwapStake:
		return []string{
			fmt.Sprintf("sell %s of subnet %d, staked on %s", alpha(m.Alpha), m.FromNetuid, key(m.FromHotkey)), limit(m.SellLimitPrice, m.AllowPartial),
			fmt.Sprintf("and stake what it brings in subnet %d on %s", m.ToNetuid, key(m.ToHotkey)), limit(m.BuyLimitPrice, m.AllowPartial),
		}
	case *alphatypes.MsgTransferStake:
		return []string{fmt.Sprintf("give %s of subnet %d, staked on %s,", alpha(m.Alpha), m.Netuid, key(m.Hotkey)), "to " + key(m.ToColdkey)}
	case *alphatypes.MsgSetRecoveryKey:
		if m.Recovery == "" {
			return []string{"take the recovery key of " + key(m.Coldkey) + " away"}
		}
		return []string{"let " + key(m.Recovery) + " decide about swaps of " + key(m.Coldkey) + ": it can move everything at once"}
	case *alphatypes.MsgAnnounceColdkeySwap:
		return []string{"move all that " + key(m.Coldkey) + " has to " + key(m.NewColdkey) + ", later; until then it does nothing else"}
	case *alphatypes.MsgDecideColdkeySwap:
		if m.NewColdkey == "" {
			return []string{"cancel what is announced for " + key(m.Coldkey)}
		}
		return []string{"move all that " + key(m.Coldkey) + " has to " + key(m.NewColdkey) + ", at once"}
	}
	return anyWords(msg, names)
}

// limitText is a limit price: rao per whole alpha.
func limitText(price uint64) string { return client.FormatTAO(price) + " TAO per alpha" }

func coinsText(coins sdk.Coins) string {
	var parts []string
	for _, c := range coins {
		parts = append(parts, coinText(c.Denom, c.Amount.String()))
	}
	return cmp.Or(strings.Join(parts, " and "), "nothing")
}

func coinText(denom, amount string) string {
	rao, err := strconv.ParseUint(amount, 10, 64)
	if denom != client.Denom || err != nil {
		return amount + " " + denom
	}
	return client.FormatTAO(rao) + " TAO"
}

// methodOf finds the method that a message is for.
var methodOf = sync.OnceValue(func() map[protoreflect.FullName]protoreflect.MethodDescriptor {
	m := map[protoreflect.FullName]protoreflect.MethodDescriptor{}
	for _, method := range chain().messages {
		m[method.desc.Input().FullName()] = method.desc
	}
	return m
})

// anyWords are the words of any message of the chain.
func anyWords(msg proto.Message, names map[string]string) []string {
	name := protoreflect.FullName(proto.MessageName(msg))
	lead := string(name)
	if method, ok := methodOf()[name]; ok {
		lead = string(name.Parent()) + " " + firstSentence(wordsOf(method), string(name.Name()))
	}
	desc, ok := findMessage(chain().InterfaceRegistry, "/"+string(name))
	if !ok {
		return []string{lead}
	}
	raw, err := proto.Marshal(msg)
	if err != nil {
		return []string{lead}
	}
	dyn := dynamicpb.NewMessage(desc)
	if err := protov2.Unmarshal(raw, dyn); err != nil {
		return []string{lead}
	}
	return append([]string{lead}, fieldWords(dyn, names, "  ")...)
}

// fieldWords list the fields of a message: all of one that somebody signs, where 0 is a
// value as any other, those that are set of one within it.
func fieldWords(m protoreflect.Message, names map[string]string, indent string) (lines []string) {
	fields := m.Descriptor().Fields()
	whole := len(signerFields(m.Descriptor())) > 0
	for i := range fields.Len() {
		fd := fields.Get(i)
		if !m.Has(fd) && (!whole || fd.IsList() || fd.IsMap() || fd.HasPresence()) {
			continue
		}
		v := m.Get(fd)
		label := strings.ReplaceAll(string(fd.Name()), "_", " ")
		switch {
		case !m.Has(fd) && (fd.Kind() == protoreflect.StringKind || fd.Kind() == protoreflect.BytesKind):
			lines = append(lines, indent+label+": –")
		case fd.IsMap():
			lines = append(lines, fmt.Sprintf("%s%s: %d entries", indent, label, v.Map().Len()))
		case fd.IsList():
			list := v.List()
			for j := range list.Len() {
				lines = append(lines, valueWords(fd, list.Get(j), names, indent, label)...)
			}
		default:
			lines = append(lines, valueWords(fd, v, names, indent, label)...)
		}
	}
	return lines
}

// longest is how much of a text or of bytes is shown.
const longest = 200

func valueWords(fd protoreflect.FieldDescriptor, v protoreflect.Value, names map[string]string, indent, label string) []string {
	one := func(text string) []string { return []string{indent + label + ": " + text} }
	switch fd.Kind() {
	case protoreflect.MessageKind:
		m := v.Message()
		field := func(name protoreflect.Name) protoreflect.Value { return m.Get(m.Descriptor().Fields().ByName(name)) }
		switch m.Descriptor().FullName() {
		case messageCoin, messageDecCoin:
			return one(coinText(field("denom").String(), field("amount").String()))
		case messageTime:
			return one(rfc3339(field("seconds").Int()))
		case messageDuration:
			return one(periodText(field("seconds").Int()))
		case messageAny:
			url := field("type_url").String()
			desc, ok := findMessage(chain().InterfaceRegistry, url)
			if !ok {
				return one("of an unknown kind, " + url)
			}
			inner := dynamicpb.NewMessage(desc)
			if err := protov2.Unmarshal(field("value").Bytes(), inner); err != nil {
				return one("damaged, " + url)
			}
			return append(one(string(desc.FullName())), fieldWords(inner, names, indent+"  ")...)
		}
		return append([]string{indent + label + ":"}, fieldWords(m, names, indent+"  ")...)
	case protoreflect.BytesKind:
		text := base64.StdEncoding.EncodeToString(v.Bytes())
		return one(short(text))
	case protoreflect.EnumKind:
		if d := fd.Enum().Values().ByNumber(v.Enum()); d != nil {
			return one(shortEnum(fd.Enum(), string(d.Name())))
		}
		return one(fmt.Sprint(v.Enum()))
	case protoreflect.StringKind:
		switch scalarOf(fd) {
		case scalarAddress, scalarValidator:
			return one(fullKey(plain(v.String()), names))
		case scalarDec:
			return one(decText(fd, plain(v.String())))
		}
		return one(short(plain(v.String())))
	case protoreflect.Uint64Kind, protoreflect.Uint32Kind:
		return one(unitWords(fd, v.Uint()))
	case protoreflect.Int64Kind:
		return one(secondsWords(string(fd.Name()), v.Int()))
	}
	return one(fmt.Sprint(v.Interface()))
}

func short(text string) string {
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + fmt.Sprintf("… (%s characters)", grouped(uint64(len(runes))))
	}
	return text
}

// decText is a number with decimals. Messages hold it as a whole number of 10^-18; those of
// x/gov, as text.
func decText(fd protoreflect.FieldDescriptor, text string) string {
	n, ok := sdkmath.NewIntFromString(text)
	if !ok || fd.ParentFile().Package() == "cosmos.gov.v1" {
		return text
	}
	whole := sdkmath.LegacyNewDecFromIntWithPrec(n, sdkmath.LegacyPrecision).String()
	return strings.TrimSuffix(strings.TrimRight(whole, "0"), ".")
}

// unitWords is a number with its unit, as the protocol names its fields.
func unitWords(fd protoreflect.FieldDescriptor, n uint64) string {
	name := string(fd.Name())
	switch {
	case strings.HasSuffix(name, "limit_price"):
		return limitText(n)
	case name == "alpha" || strings.HasSuffix(name, "_alpha"):
		return client.FormatAlpha(n) + " alpha"
	case slices.Contains([]string{"tao", "max_burn", "max_lock", "limit", "per_period", "period_left", "max_deposit", "deposit", "amount", "price", "max_price"}, name):
		return client.FormatTAO(n) + " TAO"
	case fd.Parent().Name() == "RevenueSplit" || slices.Contains([]string{"take", "proportion", "share"}, name):
		return percentText(float64(n) / takeUnit)
	}
	return grouped(n)
}

// secondsWords are a length of time, or a time, that a message has in seconds.
func secondsWords(name string, n int64) string {
	switch name {
	case "period", "close_delay":
		return periodText(n)
	case "period_reset":
		return rfc3339(n)
	}
	return fmt.Sprint(n)
}
