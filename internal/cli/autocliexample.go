package cli

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// exampleFields is how many fields an example gives one by one.
const exampleFields = 5

// exampleLine is a command line of a method with all that it can be given; fields left
// out are filled by the command.
func exampleLine(prefix, whole string, m chainMethod, without []protoreflect.FieldDescriptor) string {
	line := strings.Join([]string{prefix, m.module, m.name}, " ")
	fields, n := "", 0
	for i := range m.desc.Input().Fields().Len() {
		fd := m.desc.Input().Fields().Get(i)
		alternative := fd.ContainingOneof() != nil && fd.ContainingOneof().Fields().Get(0) != fd
		if alternative || isPage(fd) || slices.Contains(without, fd) {
			continue
		}
		name := flagName(fd)
		fields += " --" + name
		if v := exampleValue(fd); v != "" {
			fields += " " + v
		}
		n++
	}
	if n > exampleFields {
		return line + " --" + whole + " @message.json"
	}
	return line + fields
}

// exampleValue is what a field may be given; nothing for a switch.
func exampleValue(fd protoreflect.FieldDescriptor) string {
	switch kindOf(fd) {
	case "JSON":
		return "@" + kebab(string(fd.Name())) + ".json"
	case "coins":
		return "1.5TAO"
	case "time":
		return "2027-01-01T00:00:00Z"
	case "duration":
		return "36h"
	case "word":
		values := fd.Enum().Values()
		return shortEnum(fd.Enum(), string(values.Get(min(1, values.Len()-1)).Name()))
	case "bool":
		if !fd.IsList() {
			return ""
		}
		return "true"
	case "bytes":
		return "0x0102"
	case "key":
		if strings.Contains(string(fd.Name()), "hotkey") {
			return "miner-1-hot"
		}
		return "user"
	case "number":
		return "1"
	}
	switch scalarOf(fd) {
	case "cosmos.Int":
		return "1000"
	case "cosmos.Dec":
		return "0.05"
	}
	if strings.Contains(string(fd.Name()), "denom") {
		return "rao"
	}
	return "TEXT"
}
