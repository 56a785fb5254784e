package cli

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/client"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// fieldValue reads one value of a field; coins and JSON lists may be several.
func fieldValue(fd protoreflect.FieldDescriptor, s string) (any, error) {
	switch fd.Kind() {
	case protoreflect.MessageKind:
		return messageValue(fd.Message().FullName(), s)
	case protoreflect.EnumKind:
		return enumValue(fd.Enum(), s)
	case protoreflect.BoolKind:
		return strconv.ParseBool(s)
	case protoreflect.StringKind:
		return s, nil
	case protoreflect.BytesKind:
		return bytesValue(s)
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		_, err := strconv.ParseFloat(s, 64)
		return json.Number(s), err
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		n, err := strconv.ParseInt(s, 10, 32)
		return n, numberError(err, "from -2147483648 to 2147483647")
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		n, err := strconv.ParseInt(s, 10, 64)
		return strconv.FormatInt(n, 10), numberError(err, "from -2^63 to 2^63 - 1")
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		n, err := strconv.ParseUint(s, 10, 32)
		return n, numberError(err, "from 0 to 4294967295")
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		n, err := strconv.ParseUint(s, 10, 64)
		return strconv.FormatUint(n, 10), numberError(err, "from 0 to 2^64 - 1")
	}
	return nil, fmt.Errorf("a field of kind %v can't be given by a flag: give the whole message as JSON", fd.Kind())
}

func numberError(err error, bounds string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("it is no whole number %s", bounds)
}

// bytesValue reads 0x and hexadecimal digits, or base64, and writes base64.
func bytesValue(s string) (string, error) {
	if digits, ok := strings.CutPrefix(s, "0x"); ok {
		raw, err := hex.DecodeString(digits)
		if err != nil {
			return "", fmt.Errorf("after 0x must come pairs of hexadecimal digits: %w", err)
		}
		return base64.StdEncoding.EncodeToString(raw), nil
	}
	if _, err := base64.StdEncoding.DecodeString(s); err != nil {
		return "", fmt.Errorf("write bytes as base64, or as 0x and hexadecimal digits: %w", err)
	}
	return s, nil
}

// enumValue reads the name of a value, or what tells it from the others.
func enumValue(ed protoreflect.EnumDescriptor, s string) (any, error) {
	if n, err := strconv.ParseInt(s, 10, 32); err == nil {
		return n, nil
	}
	var names []string
	for i := range ed.Values().Len() {
		name := string(ed.Values().Get(i).Name())
		if strings.EqualFold(name, s) || strings.EqualFold(shortEnum(ed, name), s) {
			return name, nil
		}
		names = append(names, shortEnum(ed, name))
	}
	return nil, fmt.Errorf("there are %s", strings.Join(names, ", "))
}

// shortEnum is VOTE_OPTION_NO_WITH_VETO as no-with-veto.
func shortEnum(ed protoreflect.EnumDescriptor, name string) string {
	prefix := strings.ToUpper(strings.ReplaceAll(kebab(string(ed.Name())), "-", "_")) + "_"
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, prefix), "_", "-"))
}

func enumWords(fd protoreflect.FieldDescriptor) string {
	if fd.Enum() == nil {
		return ""
	}
	var names []string
	for i := range fd.Enum().Values().Len() {
		names = append(names, shortEnum(fd.Enum(), string(fd.Enum().Values().Get(i).Name())))
	}
	return strings.Join(names, ", ")
}

// messageValue reads a message within a message: coins, times and durations in their
// own ways, the rest as JSON.
func messageValue(name protoreflect.FullName, s string) (any, error) {
	text := strings.TrimSpace(s)
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		var v any
		err := decodeJSON([]byte(text), &v)
		return v, err
	}
	switch name {
	case messageCoin, messageDecCoin:
		return coinsValue(text, name == messageDecCoin)
	case messageTime:
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, fmt.Errorf("write a time like 2026-12-31T23:59:59Z")
		}
		return t.UTC().Format(time.RFC3339Nano), nil
	case messageDuration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, fmt.Errorf("write a duration like 36h or 90s")
		}
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s", nil
	}
	return nil, fmt.Errorf("write it as JSON: {…}, or @FILE")
}

var coinWords = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?([a-zA-Z][a-zA-Z0-9/:._-]{1,127})$`)

// coinsValue reads 12rao, 1.5TAO, or several with commas between.
func coinsValue(s string, fractions bool) (any, error) {
	list := []any{}
	for part := range strings.SplitSeq(s, ",") {
		m := coinWords.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return nil, fmt.Errorf("write coins like 12rao or 1.5TAO")
		}
		amount, denom := m[1], m[2]
		if denom == app.DisplayDenom {
			rao, err := client.ParseTAO(amount)
			if err != nil {
				return nil, err
			}
			amount, denom = strconv.FormatUint(rao, 10), app.BaseDenom
		}
		if strings.Contains(amount, ".") && !fractions {
			return nil, fmt.Errorf("there is no part of a %s", denom)
		}
		list = append(list, map[string]any{"denom": denom, "amount": amount})
	}
	return list, nil
}
