package main

import (
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// answers are what AWS would have computed for one resource or data source.
type answers struct {
	address string
	fixed   map[string]any
}

const account = "123456789012"

// close replaces each "known after apply" by an answer.
func (a answers) close(value tftypes.Value) (tftypes.Value, error) {
	members := map[string]tftypes.Value{}
	if err := value.As(&members); err != nil {
		return value, err
	}
	name := a.nameOf(members)
	for key, fixed := range a.fixed {
		if !members[key].IsKnown() || members[key].IsNull() {
			members[key] = tftypes.NewValue(members[key].Type(), native(fixed, name))
		}
	}
	return tftypes.Transform(tftypes.NewValue(value.Type(), members), func(path *tftypes.AttributePath, part tftypes.Value) (tftypes.Value, error) {
		if part.IsKnown() {
			return part, nil
		}
		return a.invent(leaf(path), name, part.Type()), nil
	})
}

// nameOf is what the resource is called, by whichever argument its type uses for that.
func (a answers) nameOf(members map[string]tftypes.Value) string {
	for _, key := range []string{"name", "cluster_name", "bucket", "identifier", "cluster_identifier", "replication_group_id", "domain_name", "function_name", "addon_name", "url"} {
		var text string
		if value, ok := members[key]; ok && value.IsFullyKnown() && !value.IsNull() && value.As(&text) == nil {
			return text
		}
	}
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(fmt.Sprint(members))))
}

func (a answers) invent(key, name string, kind tftypes.Type) tftypes.Value {
	switch {
	case kind.Is(tftypes.String):
		return tftypes.NewValue(kind, a.text(key, name))
	case kind.Is(tftypes.Number):
		return tftypes.NewValue(kind, 1)
	case kind.Is(tftypes.Bool):
		return tftypes.NewValue(kind, true)
	case kind.Is(tftypes.DynamicPseudoType):
		return tftypes.NewValue(tftypes.String, a.text(key, name))
	}
	switch kind := kind.(type) {
	case tftypes.List:
		return tftypes.NewValue(kind, []tftypes.Value{a.invent(key, name, kind.ElementType)})
	case tftypes.Set:
		return tftypes.NewValue(kind, []tftypes.Value{a.invent(key, name, kind.ElementType)})
	case tftypes.Map:
		return tftypes.NewValue(kind, map[string]tftypes.Value{})
	case tftypes.Object:
		members := map[string]tftypes.Value{}
		for member, of := range kind.AttributeTypes {
			members[member] = a.invent(member, name, of)
		}
		return tftypes.NewValue(kind, members)
	}
	panic("a type without an answer: " + kind.String())
}

func (a answers) text(key, name string) string {
	kind := strings.TrimPrefix(strings.TrimPrefix(a.address, "data."), "aws_")
	switch {
	case key == "arn" || strings.HasSuffix(key, "_arn"):
		service, rest, _ := strings.Cut(kind, "_")
		return fmt.Sprintf("arn:aws:%s:eu-central-1:%s:%s/%s", service, account, strings.ReplaceAll(rest, "_", "-"), name)
	case key == "id":
		return name
	}
	return fmt.Sprintf("%s-%s", strings.ReplaceAll(key, "_", "-"), name)
}

func leaf(path *tftypes.AttributePath) string {
	steps := path.Steps()
	for i := len(steps) - 1; i >= 0; i-- {
		if name, ok := steps[i].(tftypes.AttributeName); ok {
			return string(name)
		}
	}
	return ""
}

// native turns what the answers' JSON says into a value of Terraform's: text, or a list of it. `{name}` is the resource's.
func native(given any, name string) any {
	switch given := given.(type) {
	case string:
		return strings.ReplaceAll(given, "{name}", name)
	case []any:
		values := []tftypes.Value{}
		for _, item := range given {
			values = append(values, tftypes.NewValue(tftypes.String, item))
		}
		return values
	}
	return given
}
