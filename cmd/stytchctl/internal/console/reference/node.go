package reference

import (
	"fmt"
	"iter"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A node is a YAML value. What is absent is the zero node, which has nothing in it.
type node struct{ *yaml.Node }

// document unwraps the node that stands for a whole file.
func (n node) document() node {
	if n.Node != nil && n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
		return node{n.Content[0]}
	}
	return n
}

func (n node) present() bool { return n.Node != nil }

// get is the value of a key of a mapping.
func (n node) get(key string) node {
	for k, v := range n.entries() {
		if k == key {
			return v
		}
	}
	return node{}
}

// text is a scalar as it is written.
func (n node) text(key string) string {
	if v := n.get(key); v.present() && v.Kind == yaml.ScalarNode {
		return strings.TrimSpace(v.Value)
	}
	return ""
}

// entries are the keys and values of a mapping, in the order of the file.
func (n node) entries() iter.Seq2[string, node] {
	return func(yield func(string, node) bool) {
		if n.Node == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, node{n.Content[i+1]}) {
				return
			}
		}
	}
}

// items are the values of a sequence.
func (n node) items() (all []node) {
	if n.Node == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	for _, item := range n.Content {
		all = append(all, node{item})
	}
	return all
}

// texts are the scalars of a sequence.
func (n node) texts() (all []string) {
	for _, item := range n.items() {
		all = append(all, item.Value)
	}
	return all
}

// A document resolves references within a file, and keeps the first that leads nowhere.
type document struct {
	root node
	err  error
}

// resolve follows $ref until there is none.
func (d *document) resolve(n node) node {
	for depth := 0; n.get("$ref").present(); depth++ {
		target := n.text("$ref")
		path, local := strings.CutPrefix(target, "#/")
		at := d.root
		for part := range strings.SplitSeq(path, "/") {
			at = at.get(part)
		}
		if !local || !at.present() || depth > 16 {
			if d.err == nil {
				d.err = fmt.Errorf("read the contract: the reference %q leads nowhere", target)
			}
			return node{}
		}
		n = at
	}
	return n
}
