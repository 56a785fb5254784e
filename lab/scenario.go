package lab

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/lodenet/lode/yuma"
)

// Scenario is what happens in a subnet, epoch by epoch.
type Scenario struct {
	Name   string
	Params yuma.Params
	Tempo  uint64   // blocks between two epochs
	Stakes []uint64 // by uid
	Epochs []Step
	// Unread names what the file holds beside this, the vectors' expectations apart.
	Unread []string
}

// Step is what validators do before an epoch.
type Step struct {
	// Repeat: everybody sets again what they had set last; Rows is then empty.
	Repeat bool
	Rows   []Row // by ascending uid
}

// Row is a validator's new weights.
type Row struct {
	UID     uint16
	Entries []yuma.Entry // uids strictly ascending
}

// silent are the keys of a vector that say nothing about the scenario itself.
var silent = map[string]bool{"source": true, "tolerance": true, "expect": true, "comment": true, "description": true}

// Parse reads a scenario.
func Parse(text []byte) (*Scenario, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("the scenario is empty: want a JSON object with stakes and epochs")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	var file map[string]json.RawMessage
	err := dec.Decode(&file)
	if err == nil && file == nil {
		return nil, errors.New("the scenario is null: want a JSON object with stakes and epochs")
	}
	if err == nil {
		if _, err = dec.Token(); err == io.EOF {
			err = nil
		} else {
			err = fmt.Errorf("something follows the scenario's end in line %d", line(text, dec.InputOffset()))
		}
	}
	if err != nil {
		return nil, explain(text, err)
	}

	s := &Scenario{}
	s.Params, s.Tempo = defaults()
	if raw, ok := file["name"]; ok && json.Unmarshal(raw, &s.Name) != nil {
		return nil, fmt.Errorf("name: want a string, not %s", excerpt(raw))
	}
	if raw, ok := file["params"]; ok {
		if err := s.parseParams(raw); err != nil {
			return nil, err
		}
	}
	if err := s.parseStakes(file["stakes"]); err != nil {
		return nil, err
	}
	if raw, ok := file["neurons"]; ok {
		if n, err := parseWhole(string(raw)); err != nil || n != uint64(len(s.Stakes)) {
			return nil, fmt.Errorf("neurons: %s, but there are %d stakes: want one for each uid", excerpt(raw), len(s.Stakes))
		}
	}
	if err := s.parseEpochs(file["epochs"]); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(file)) {
		switch key {
		case "name", "params", "stakes", "neurons", "epochs":
		default:
			s.note(key)
		}
	}
	return s, nil
}

// explain says in which line a file stops being JSON.
func explain(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON: line %d: %w", line(text, syntax.Offset), err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("not JSON: it ends in the middle")
	case errors.As(err, &kind):
		return fmt.Errorf("the scenario is a JSON %s: want an object with stakes and epochs", kind.Value)
	}
	return err
}

func line(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:min(offset, int64(len(text)))], []byte("\n"))
}

// note remembers a key that nothing reads, once.
func (s *Scenario) note(key string) {
	if !silent[key] && !slices.Contains(s.Unread, key) {
		s.Unread = append(s.Unread, key)
	}
}

func (s *Scenario) parseStakes(raw json.RawMessage) error {
	if raw == nil {
		return errors.New("the scenario has no stakes: want one for each uid, such as [60, 40, 0]")
	}
	var stakes []json.RawMessage
	if json.Unmarshal(raw, &stakes) != nil || len(stakes) == 0 {
		return fmt.Errorf("stakes: want a list with one for each uid, such as [60, 40, 0], not %s", excerpt(raw))
	}
	if len(stakes) > yuma.MaxNeurons {
		return fmt.Errorf("stakes: there are %d, at most %d neurons fit a subnet", len(stakes), yuma.MaxNeurons)
	}
	s.Stakes = make([]uint64, len(stakes))
	for uid, raw := range stakes {
		text := string(raw)
		if len(text) > 2 && text[0] == '"' {
			text = text[1 : len(text)-1]
			if v, err := strconv.ParseUint(text, 10, 64); err != nil || strconv.FormatUint(v, 10) != text {
				return fmt.Errorf("stakes: uid %d's is %s, want a whole number from 0 to 18446744073709551615", uid, excerpt(raw))
			}
		}
		v, err := parseWhole(text)
		if err != nil {
			return fmt.Errorf("stakes: uid %d's is %s, want a whole number from 0 to 18446744073709551615", uid, excerpt(raw))
		}
		s.Stakes[uid] = v
	}
	return nil
}

func (s *Scenario) parseEpochs(raw json.RawMessage) error {
	if raw == nil {
		return errors.New(`the scenario has no epochs: want a list such as [{"weights": {"0": [[1, 65535]]}}]`)
	}
	var epochs []json.RawMessage
	if json.Unmarshal(raw, &epochs) != nil || len(epochs) == 0 {
		return fmt.Errorf(`epochs: want a list such as [{"weights": {"0": [[1, 65535]]}}], not %s`, excerpt(raw))
	}
	s.Epochs = make([]Step, len(epochs))
	for i, raw := range epochs {
		if err := s.parseStep(&s.Epochs[i], raw); err != nil {
			return fmt.Errorf("epoch %d: %w", i+1, err)
		}
	}
	return nil
}

func (s *Scenario) parseStep(step *Step, raw json.RawMessage) error {
	var given map[string]json.RawMessage
	if json.Unmarshal(raw, &given) != nil || given == nil {
		return fmt.Errorf("want an object, such as {} or {\"weights\": …}, not %s", excerpt(raw))
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if key != "weights" {
			s.note(key)
		}
	}
	weights, ok := given["weights"]
	if !ok || string(weights) == "null" {
		step.Repeat = true
		return nil
	}
	var rows map[string]json.RawMessage
	if json.Unmarshal(weights, &rows) != nil {
		return fmt.Errorf(`weights: want rows by uid, such as {"0": [[1, 65535]]}, not %s`, excerpt(weights))
	}
	for key, raw := range rows {
		uid, err := strconv.Atoi(key)
		if err != nil || uid < 0 || uid >= len(s.Stakes) || strconv.Itoa(uid) != key {
			return fmt.Errorf("weights: there is no uid %q; uids are 0 to %d, one for each stake", key, len(s.Stakes)-1)
		}
		entries, err := parseRow(raw, len(s.Stakes))
		if err != nil {
			return fmt.Errorf("weights of uid %d: %w", uid, err)
		}
		step.Rows = append(step.Rows, Row{UID: uint16(uid), Entries: entries})
	}
	slices.SortFunc(step.Rows, func(a, b Row) int { return cmp.Compare(a.UID, b.UID) })
	return nil
}

// parseRow reads [[uid, value], …] in any order.
func parseRow(raw json.RawMessage, n int) ([]yuma.Entry, error) {
	var pairs [][]float64
	// A null would leave a number as it was: 0.
	if bytes.Contains(raw, []byte("null")) || json.Unmarshal(raw, &pairs) != nil {
		return nil, fmt.Errorf("want a list of [uid, value], such as [[1, 65535]], not %s", excerpt(raw))
	}
	row := make([]yuma.Entry, len(pairs))
	for i, p := range pairs {
		if len(p) != 2 {
			return nil, fmt.Errorf("entry %d has %d numbers, want [uid, value]", i+1, len(p))
		}
		uid, value := p[0], p[1]
		if !(uid >= 0 && uid < float64(n)) || uid != float64(uint16(uid)) {
			return nil, fmt.Errorf("entry %d is for uid %v; uids are 0 to %d, one for each stake", i+1, uid, n-1)
		}
		if !(value >= 0 && value <= 65_535) || value != float64(uint16(value)) {
			return nil, fmt.Errorf("entry %d gives uid %v the weight %v, want a whole number from 0 to 65535", i+1, uid, value)
		}
		row[i] = yuma.Entry{UID: uint16(uid), Value: uint16(value)}
	}
	slices.SortFunc(row, func(a, b yuma.Entry) int { return cmp.Compare(a.UID, b.UID) })
	for i := 1; i < len(row); i++ {
		if row[i].UID == row[i-1].UID {
			return nil, fmt.Errorf("uid %d comes twice", row[i].UID)
		}
	}
	return row, nil
}
