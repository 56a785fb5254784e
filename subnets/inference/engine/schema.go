package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Bounds of schemas, so that a grammar stays small.
const (
	maxSchemaDepth = 32
	maxSchemaRules = 4096
	maxRepeat      = 1000
)

// schemaWriter writes a schema's rules.
type schemaWriter struct {
	root  any
	rules strings.Builder
	count int
	refs  map[string]string // references that have a rule
}

// keywords that say nothing about what is valid.
var annotations = []string{"title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly", "$schema", "$id", "$comment", "$defs", "definitions"}

// of lists what each type's schema may say besides.
var of = map[string][]string{
	"object":  {"properties", "required", "additionalProperties"},
	"array":   {"items", "minItems", "maxItems"},
	"string":  {"minLength", "maxLength", "format"},
	"number":  nil,
	"integer": nil,
	"boolean": nil,
	"null":    nil,
}

func (w *schemaWriter) rule(body string) (string, error) {
	if w.count++; w.count > maxSchemaRules {
		return "", errors.New("the schema is too large")
	}
	name := "r" + strconv.Itoa(w.count)
	fmt.Fprintf(&w.rules, "%s ::= %s\n", name, body)
	return name, nil
}

func (w *schemaWriter) schema(v any, at string, depth int) (string, error) {
	if depth > maxSchemaDepth {
		return "", fmt.Errorf("%s: nested more than %d deep", at, maxSchemaDepth)
	}
	if v == true {
		return "value", nil
	}
	s, ok := v.(*ordered)
	if !ok {
		return "", fmt.Errorf("%s: %v is not a schema that anything fits", at, v)
	}
	only := func(allowed ...string) error {
		for _, k := range s.keys {
			if !slices.Contains(allowed, k) && !slices.Contains(annotations, k) {
				return fmt.Errorf("%s: %q can't be enforced here: leave it away", at, k)
			}
		}
		return nil
	}
	if ref, ok := s.values["$ref"]; ok {
		if err := only("$ref"); err != nil {
			return "", err
		}
		return w.ref(ref, at)
	}
	if c, ok := s.values["const"]; ok {
		if err := only("const", "type"); err != nil {
			return "", err
		}
		return w.literals([]any{c}, s.values["type"], at)
	}
	if e, ok := s.values["enum"]; ok {
		if err := only("enum", "type"); err != nil {
			return "", err
		}
		all, ok := e.([]any)
		if !ok || len(all) == 0 {
			return "", fmt.Errorf("%s: enum must list values", at)
		}
		return w.literals(all, s.values["type"], at)
	}
	for _, key := range []string{"anyOf", "allOf"} {
		a, ok := s.values[key]
		if !ok {
			continue
		}
		if err := only(key); err != nil {
			return "", err
		}
		list, ok := a.([]any)
		if !ok || len(list) == 0 || key == "allOf" && len(list) > 1 {
			return "", fmt.Errorf("%s: %s must list schemas, allOf only one", at, key)
		}
		var alternatives []string
		for i, sub := range list {
			rule, err := w.schema(sub, fmt.Sprintf("%s.%s[%d]", at, key, i), depth+1)
			if err != nil {
				return "", err
			}
			alternatives = append(alternatives, rule)
		}
		return "( " + strings.Join(alternatives, " | ") + " )", nil
	}
	var types []string
	switch t := s.values["type"].(type) {
	case nil:
		switch {
		case s.values["properties"] != nil:
			types = []string{"object"}
		case s.values["items"] != nil:
			types = []string{"array"}
		default:
			return "value", only()
		}
	case string:
		types = []string{t}
	case []any:
		for _, x := range t {
			name, _ := x.(string)
			types = append(types, name)
		}
	}
	allowed := []string{"type"}
	for _, t := range types {
		more, ok := of[t]
		if !ok {
			return "", fmt.Errorf("%s: there is no type %q", at, t)
		}
		allowed = append(allowed, more...)
	}
	if err := only(allowed...); err != nil {
		return "", err
	}
	var alternatives []string
	for _, t := range types {
		rule, err := w.typed(s, t, at, depth)
		if err != nil {
			return "", err
		}
		alternatives = append(alternatives, rule)
	}
	switch len(alternatives) {
	case 0:
		return "", fmt.Errorf("%s: type is empty", at)
	case 1:
		return alternatives[0], nil
	}
	return "( " + strings.Join(alternatives, " | ") + " )", nil
}

func (w *schemaWriter) typed(s *ordered, t, at string, depth int) (string, error) {
	switch t {
	case "boolean":
		return `( "true" | "false" )`, nil
	case "null":
		return `"null"`, nil
	case "number", "integer":
		return t, nil
	case "string":
		least, most, err := bounds(s, "minLength", "maxLength", at)
		if err != nil {
			return "", err
		}
		if f, ok := s.values["format"]; ok {
			name, _ := f.(string)
			rule, ok := formats[name]
			if !ok || s.values["minLength"] != nil || s.values["maxLength"] != nil {
				return "", fmt.Errorf("%s: the format %q can't be enforced: leave it away", at, name)
			}
			return rule, nil
		}
		return `"\"" ` + repeat("char", least, most) + ` "\""`, nil
	case "array":
		return w.array(s, at, depth)
	}
	return w.object(s, at, depth)
}

func (w *schemaWriter) array(s *ordered, at string, depth int) (string, error) {
	least, most, err := bounds(s, "minItems", "maxItems", at)
	if err != nil {
		return "", err
	}
	item := "value"
	if sub, ok := s.values["items"]; ok && most != 0 {
		if item, err = w.schema(sub, at+".items", depth+1); err != nil {
			return "", err
		}
	}
	if most == 0 {
		return `"[" ws "]"`, nil
	}
	if item, err = w.rule(item); err != nil {
		return "", err
	}
	further := most - 1
	if most < 0 {
		further = -1
	}
	rest := item + " " + repeat(`( "," ws `+item+` )`, max(least-1, 0), further)
	if least == 0 {
		rest = "( " + rest + " )?"
	}
	return w.rule(`"[" ws ` + rest + ` ws "]"`)
}

func (w *schemaWriter) object(s *ordered, at string, depth int) (string, error) {
	properties, ok := s.values["properties"].(*ordered)
	if !ok && s.values["properties"] != nil {
		return "", fmt.Errorf("%s: properties must be an object", at)
	}
	var required []string
	if r, ok := s.values["required"]; ok {
		list, ok := r.([]any)
		if !ok {
			return "", fmt.Errorf("%s: required must be a list", at)
		}
		for _, x := range list {
			name, _ := x.(string)
			if properties == nil || !slices.Contains(properties.keys, name) {
				return "", fmt.Errorf("%s: %q is required, but not among the properties", at, name)
			}
			required = append(required, name)
		}
	}
	if properties == nil || len(properties.keys) == 0 {
		more, ok := s.values["additionalProperties"]
		switch {
		case !ok || more == true:
			return "object", nil
		case more == false:
			return `"{" ws "}"`, nil
		}
		value, err := w.schema(more, at+".additionalProperties", depth+1)
		if err != nil {
			return "", err
		}
		pair, err := w.rule(`string ":" ws ` + value)
		if err != nil {
			return "", err
		}
		return w.rule(`"{" ws ( ` + pair + ` ( "," ws ` + pair + ` )* )? ws "}"`)
	}
	// From the last property to the first: what may follow if nothing came before, and if
	// something did.
	first, later := `""`, `""`
	for i := len(properties.keys) - 1; i >= 0; i-- {
		name := properties.keys[i]
		value, err := w.schema(properties.values[name], at+"."+name, depth+1)
		if err != nil {
			return "", err
		}
		key, err := compact(name)
		if err != nil {
			return "", err
		}
		pair, err := w.rule(quote(key) + ` ":" ws ` + value)
		if err != nil {
			return "", err
		}
		f, l := pair+" "+later, `"," ws `+pair+" "+later
		if !slices.Contains(required, name) {
			f, l = f+" | "+first, l+" | "+later
		}
		if first, err = w.rule(f); err != nil {
			return "", err
		}
		if later, err = w.rule(l); err != nil {
			return "", err
		}
	}
	return w.rule(`"{" ws ` + first + ` ws "}"`)
}

func (w *schemaWriter) ref(v any, at string) (string, error) {
	ref, _ := v.(string)
	if name, ok := w.refs[ref]; ok {
		return name, nil
	}
	target := w.root
	if ref != "#" {
		path, ok := strings.CutPrefix(ref, "#/")
		if !ok {
			return "", fmt.Errorf("%s: the reference %q leads out of the schema", at, ref)
		}
		for _, step := range strings.Split(path, "/") {
			step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
			o, ok := target.(*ordered)
			if ok {
				target, ok = o.values[step]
			}
			if !ok {
				return "", fmt.Errorf("%s: the reference %q leads nowhere", at, ref)
			}
		}
	}
	if w.count++; w.count > maxSchemaRules {
		return "", errors.New("the schema is too large")
	}
	name := "r" + strconv.Itoa(w.count)
	w.refs[ref] = name // before its rule is there: schemas may refer to themselves
	body, err := w.schema(target, ref, 1)
	if err != nil {
		return "", err
	}
	if body == name {
		return "", fmt.Errorf("%s: the reference %q is to itself", at, ref)
	}
	fmt.Fprintf(&w.rules, "%s ::= %s\n", name, body)
	return name, nil
}

func (w *schemaWriter) literals(values []any, typ any, at string) (string, error) {
	var all []string
	for _, v := range values {
		if name, ok := typ.(string); typ != nil && (!ok || !hasType(v, name)) {
			continue // the type shuts it out
		}
		text, err := compact(v)
		if err != nil {
			return "", err
		}
		all = append(all, quote(text))
	}
	if len(all) == 0 {
		return "", fmt.Errorf("%s: no value is left", at)
	}
	return w.rule(strings.Join(all, " | "))
}

func hasType(v any, name string) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case json.Number:
		return name == "number" || name == "integer" && !strings.ContainsAny(v.String(), ".eE")
	case []any:
		return name == "array"
	}
	return name == "object"
}

// bounds reads two counts; most is −1 where there is none.
func bounds(s *ordered, low, high, at string) (least, most int, err error) {
	most = -1
	for i, key := range []string{low, high} {
		v, ok := s.values[key]
		if !ok {
			continue
		}
		n, err := strconv.Atoi(fmt.Sprint(v))
		if err != nil || n < 0 || n > maxRepeat {
			return 0, 0, fmt.Errorf("%s: %s is %v, the bounds are 0 and %d", at, key, v, maxRepeat)
		}
		if i == 0 {
			least = n
		} else {
			most = n
		}
	}
	if most >= 0 && least > most {
		return 0, 0, fmt.Errorf("%s: %s exceeds %s", at, low, high)
	}
	return least, most, nil
}
