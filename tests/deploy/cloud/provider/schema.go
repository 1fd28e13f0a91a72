package main

import (
	"encoding/json"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// catalogue is the file that SOUK_AWS_SCHEMA names: schemas as provider_schema.py writes them, and what data sources answer.
type catalogue struct {
	Provider  block                     `json:"provider"`
	Resources map[string]block          `json:"resources"`
	Data      map[string]block          `json:"data"`
	Ephemeral map[string]block          `json:"ephemeral"`
	Answers   map[string]map[string]any `json:"answers"`
}

type block struct {
	Attributes map[string]attribute `json:"attributes"`
	Blocks     map[string]nested    `json:"blocks"`
}

type attribute struct {
	Type     json.RawMessage `json:"type"`
	Required bool            `json:"required"`
	Computed bool            `json:"computed"`
}

type nested struct {
	Nesting    string `json:"nesting"`
	Block      block  `json:"block"`
	Required   bool   `json:"required"`
	SingleItem bool   `json:"single_item"`
}

var nestings = map[string]tfprotov6.SchemaNestedBlockNestingMode{
	"single": tfprotov6.SchemaNestedBlockNestingModeSingle,
	"list":   tfprotov6.SchemaNestedBlockNestingModeList,
	"set":    tfprotov6.SchemaNestedBlockNestingModeSet,
}

func (b block) schema() *tfprotov6.Schema {
	return &tfprotov6.Schema{Block: b.body()}
}

func (b block) body() *tfprotov6.SchemaBlock {
	body := &tfprotov6.SchemaBlock{}
	for name, a := range b.Attributes {
		writeOnly := a.writeOnly(name)
		body.Attributes = append(body.Attributes, &tfprotov6.SchemaAttribute{
			Name: name, Type: a.kind(), Required: a.Required, Optional: !a.Required && !a.Computed, Computed: a.open() && !writeOnly,
			WriteOnly: writeOnly,
		})
	}
	for name, n := range b.Blocks {
		if n.Block.untyped() {
			continue
		}
		made := &tfprotov6.SchemaNestedBlock{TypeName: name, Block: n.Block.body(), Nesting: nestings[n.Nesting]}
		if n.Nesting != "single" {
			made.MinItems, made.MaxItems = one(n.Required), one(n.SingleItem)
		}
		body.BlockTypes = append(body.BlockTypes, made)
	}
	return body
}

// untyped says that the classes leave a part of a block open (the statements of firewall rules, which nest without end). Such a
// block can't be written here: the modules give those rules as JSON.
func (b block) untyped() bool {
	for _, a := range b.Attributes {
		if string(a.Type) == `"dynamic"` {
			return true
		}
	}
	return false
}

func one(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// open says that AWS may fill it in: what is computed, and what is optional, which the classes do not tell apart from
// "optional and computed".
func (a attribute) open() bool { return !a.Required }

// writeOnly says that it is never kept in the state: that is how such arguments are called.
func (a attribute) writeOnly(name string) bool { return strings.HasSuffix(name, "_wo") && !a.Computed }

func (a attribute) kind() tftypes.Type {
	kind, err := tftypes.ParseJSONType(a.Type) //nolint:staticcheck // the only reader of this notation
	if err != nil {
		panic(err)
	}
	return kind
}

// open replaces what is absent and computed by "known after apply", at the top level and in blocks.
func (b block) open(value tftypes.Value) (tftypes.Value, error) {
	if value.IsNull() || !value.IsKnown() {
		return value, nil
	}
	members := map[string]tftypes.Value{}
	if err := value.As(&members); err != nil {
		return value, err
	}
	for name, a := range b.Attributes {
		if a.writeOnly(name) {
			members[name] = tftypes.NewValue(a.kind(), nil)
		}
		if a.Computed && members[name].IsNull() || name == "id" && members[name].IsNull() {
			members[name] = tftypes.NewValue(a.kind(), tftypes.UnknownValue)
		}
	}
	for name, n := range b.Blocks {
		if n.Block.untyped() {
			continue
		}
		opened, err := n.open(members[name])
		if err != nil {
			return value, err
		}
		members[name] = opened
	}
	return tftypes.NewValue(value.Type(), members), nil
}

func (n nested) open(value tftypes.Value) (tftypes.Value, error) {
	if n.Nesting == "single" {
		return n.Block.open(value)
	}
	if value.IsNull() || !value.IsKnown() {
		return value, nil
	}
	var items []tftypes.Value
	if err := value.As(&items); err != nil {
		return value, err
	}
	for i := range items {
		opened, err := n.Block.open(items[i])
		if err != nil {
			return value, err
		}
		items[i] = opened
	}
	return tftypes.NewValue(value.Type(), items), nil
}
