//go:build ignore

// Protodocs finishes what proto.sh has made of the protocol's files:
//
//	go run scripts/protodocs.go SWAGGER DESCRIPTORS OPENAPI WORDS
//
// OPENAPI is SWAGGER with a title and with operation ids that are unique over all
// services; WORDS are the comments of services, and of the fields of what they are
// given, by full name.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 5 {
		log.Fatal("usage: protodocs SWAGGER DESCRIPTORS OPENAPI WORDS")
	}
	if err := finish(os.Args[1], os.Args[3]); err != nil {
		log.Fatal(err)
	}
	if err := words(os.Args[2], os.Args[4]); err != nil {
		log.Fatal(err)
	}
}

func finish(from, to string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return err
	}
	doc["info"] = map[string]any{
		"title":       "Lode",
		"version":     "v1",
		"description": "The queries of a Lode node over REST, its own modules' and the Cosmos SDK's. 64-bit integers are decimal strings; amounts of TAO are in rao (10^-9 TAO), of alpha in units of 10^-9. A query of a past block has its height in the header x-cosmos-block-height.",
	}
	for path, item := range doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			op := op.(map[string]any)
			tags := op["tags"].([]any)
			if len(tags) != 1 {
				return fmt.Errorf("%s %s has %d tags, want its service alone", method, path, len(tags))
			}
			_, name, _ := strings.Cut(op["operationId"].(string), "_")
			op["operationId"] = strings.ReplaceAll(tags[0].(string), ".", "_") + "_" + name
		}
	}
	return write(to, doc)
}

func words(from, to string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(raw, &set); err != nil {
		return err
	}
	// The imports are not in the set.
	files, err := protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(&set)
	if err != nil {
		return err
	}
	all := map[string]string{}
	say := func(d protoreflect.Descriptor) {
		l := d.ParentFile().SourceLocations().ByDescriptor(d)
		text := l.LeadingComments
		if strings.TrimSpace(text) == "" {
			text = l.TrailingComments
		}
		if text = strings.Join(strings.Fields(text), " "); text != "" {
			all[string(d.FullName())] = text
		}
	}
	files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			say(s)
			for j := range s.Methods().Len() {
				m := s.Methods().Get(j)
				say(m)
				for k := range m.Input().Fields().Len() {
					say(m.Input().Fields().Get(k))
				}
			}
		}
		return true
	})
	return write(to, all)
}

func write(path string, v any) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(f)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	return f.Close()
}
