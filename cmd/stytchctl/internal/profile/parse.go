package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

// parse reads config.yaml. Every error names the line, and the key if there is one. It quotes no
// values: someone may have put a secret where it does not belong.
func parse(text []byte) (*config, error) {
	c := &config{profiles: map[string]Profile{}}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, errors.New(firstLine(err.Error()))
	}
	if len(document.Content) == 0 {
		return c, nil // an empty file
	}
	err := eachMember(document.Content[0], []string{"in_use", "profiles"}, func(key string, value *yaml.Node) (err error) {
		if key == "in_use" {
			c.inUse, err = scalar(key, value)
			return err
		}
		return eachMember(value, nil, func(name string, value *yaml.Node) error {
			p, err := parseProfile(name, value)
			c.profiles[name] = p
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	if _, ok := c.profiles[c.inUse]; !ok && c.inUse != "" {
		return nil, fmt.Errorf("in_use: there is no profile %q", c.inUse)
	}
	return c, nil
}

func parseProfile(name string, node *yaml.Node) (Profile, error) {
	p := Profile{Name: name}
	err := eachMember(node, []string{"project_id", "base_url", "store"}, func(key string, value *yaml.Node) error {
		text, err := scalar(key, value)
		switch key {
		case "project_id":
			p.ProjectID = text
		case "base_url":
			p.BaseURL = text
		case "store":
			p.Store = Store(text)
		}
		return err
	})
	if err == nil {
		if err = p.check(); err != nil {
			err = fmt.Errorf("line %d: profile %q: %w", node.Line, name, err)
		}
	}
	return p, err
}

// eachMember calls f for each member of a mapping. Without a list of known keys, it takes any.
func eachMember(node *yaml.Node, known []string, f func(key string, value *yaml.Node) error) error {
	if node.Kind != yaml.MappingNode {
		if node.Tag == "!!null" {
			return nil
		}
		return fmt.Errorf("line %d: keys with values are expected here", node.Line)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || value.Kind == yaml.AliasNode:
			return fmt.Errorf("line %d: anchors, aliases and keys that are not text are not supported", key.Line)
		case seen[key.Value]:
			return fmt.Errorf("line %d: the key %q is there twice", key.Line, key.Value)
		case known != nil && !slices.Contains(known, key.Value):
			return fmt.Errorf("line %d: unknown key %q%s The keys here are %s",
				key.Line, key.Value, cli.Nearest(key.Value, known), strings.Join(known, ", "))
		}
		seen[key.Value] = true
		if err := f(key.Value, value); err != nil {
			return err
		}
	}
	return nil
}

// scalar is the text of a scalar.
func scalar(key string, value *yaml.Node) (string, error) {
	if value.Kind != yaml.ScalarNode {
		return "", fmt.Errorf("line %d: %s: a text is expected", value.Line, key)
	}
	if value.Tag == "!!null" {
		return "", nil
	}
	return value.Value, nil
}

// firstLine is the error of the YAML parser without what it quotes after the first line.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimPrefix(text, "yaml: "), "\n")
	return line
}
