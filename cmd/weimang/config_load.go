package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

const envPrefix = "WEIMANG_"

// LoadConfig returns the defaults, changed by the file at path (none if path
// is empty), changed by the WEIMANG_ variables of environ ("NAME=value"), with
// secrets read from their files. The error names every wrong value, where it
// was set and what to do.
func LoadConfig(path string, environ []string) (*Config, error) {
	return loadConfig(path, environ, func(*Config) {})
}

// loadConfig is LoadConfig with flags, which go before file and environment
// and are judged together with them.
func loadConfig(path string, environ []string, flags func(*Config)) (*Config, error) {
	c := DefaultConfig()
	l := configLoader{config: c, keys: make(map[string]configKey), origin: make(map[string]string)}
	for _, k := range configKeys(c) {
		l.keys[k.path] = k
	}
	if path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
		l.file(path, data)
	}
	l.environ(environ)
	if len(l.errs) == 0 {
		l.secrets()
	}
	flags(c)
	if len(l.errs) == 0 {
		l.validate()
	}
	if err := errors.Join(l.errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// configLoader fills a Config and remembers where each value came from.
type configLoader struct {
	config *Config
	keys   map[string]configKey
	origin map[string]string // "file:line:column" or the variable's name, by key
	errs   []error
}

func (l *configLoader) fail(where, format string, args ...any) {
	l.errs = append(l.errs, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

func (l *configLoader) file(name string, data []byte) {
	file, err := parser.ParseBytes(data, 0)
	var bad yaml.Error
	switch {
	case errors.As(err, &bad) && bad.GetToken() != nil:
		at := bad.GetToken().Position
		l.fail(fmt.Sprintf("%s:%d:%d", name, at.Line, at.Column), "not YAML: %s", bad.GetMessage())
		return
	case err != nil:
		l.fail(name, "not YAML: %v", err)
		return
	}
	seen := false
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue // nothing but comments
		}
		if seen {
			l.fail(place(name, doc.Body), "a second document; a configuration is one")
			return
		}
		seen = true
		l.section(name, "", doc.Body)
	}
}

// section reads the keys of a mapping.
func (l *configLoader) section(file, path string, node ast.Node) {
	var entries []*ast.MappingValueNode
	switch node := node.(type) {
	case *ast.MappingNode:
		entries = node.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{node}
	case *ast.NullNode:
		return
	default:
		l.fail(place(file, node), "%smust be a section of keys, each with a colon", spaced(path))
		return
	}
	for _, entry := range entries {
		where := place(file, entry.Key)
		key := entry.Key.GetToken().Value
		if path != "" {
			key = path + "." + key
		}
		k, isKey := l.keys[key]
		switch {
		case l.origin[key] != "":
			l.fail(where, "%s is set a second time, first at %s", key, l.origin[key])
			continue
		case isKey:
			l.scalar(file, k, entry.Value)
		case sectionHeading(key) != "":
			l.section(file, key, entry.Value)
		default:
			l.fail(where, "unknown key %s%s", key, l.suggest(key))
			continue
		}
		l.origin[key] = where
	}
}

// scalar reads one value. An empty one leaves the default.
func (l *configLoader) scalar(file string, k configKey, node ast.Node) {
	var err error
	switch node := node.(type) {
	case *ast.NullNode:
	case *ast.StringNode:
		err = k.set(node.Value)
	case *ast.LiteralNode:
		err = k.set(strings.TrimSpace(node.Value.Value))
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		err = k.set(node.GetToken().Value)
	case *ast.SequenceNode:
		var list []string
		for _, item := range node.Values {
			switch item := item.(type) {
			case *ast.StringNode:
				list = append(list, item.Value)
			default:
				l.fail(place(file, item), "%s must be a list of words; put quotes around a word with a colon", k.path)
				return
			}
		}
		err = k.setList(list)
	default:
		err = errors.New("must be one value")
	}
	if err != nil {
		l.fail(place(file, node), "%s: %v", k.path, err)
	}
}

// environ applies the variables that begin with WEIMANG_ and refuses those
// that mean nothing, since a misspelt one would be silently without effect.
func (l *configLoader) environ(environ []string) {
	byName := make(map[string]configKey, len(l.keys))
	for _, k := range l.keys {
		byName[k.env()] = k
	}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || isServiceLink(name) {
			continue
		}
		k, known := byName[name]
		if !known {
			key := strings.ToLower(strings.TrimPrefix(name, envPrefix))
			l.fail("environment", "unknown variable %s%s", name, l.suggestEnv(key))
			continue
		}
		l.origin[k.path] = name
		if err := k.set(value); err != nil {
			l.fail(name, "%s: %v", k.path, err)
		}
	}
}

// isServiceLink reports whether Kubernetes made the variable: for every
// service whose name begins with weimang it sets WEIMANG_PORT,
// WEIMANG_SERVICE_HOST and so on in every pod.
func isServiceLink(name string) bool {
	return strings.HasSuffix(name, "_PORT") || strings.Contains(name, "_PORT_") ||
		strings.HasSuffix(name, "_SERVICE_HOST") || strings.Contains(name, "_SERVICE_PORT")
}

// secrets replaces file:/path by what the file holds.
func (l *configLoader) secrets() {
	for _, k := range l.keys {
		secret, ok := k.value.(*Secret)
		if !ok {
			continue
		}
		path, inFile := strings.CutPrefix(secret.Reveal(), "file:")
		if !inFile {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			l.fail(l.origin[k.path], "%s: %v", k.path, err)
			continue
		}
		value := strings.TrimSpace(string(data))
		if value == "" {
			l.fail(l.origin[k.path], "%s: %s is empty", k.path, path)
		}
		*secret = Secret(value)
	}
}

func (l *configLoader) validate() {
	for _, p := range l.config.problems() {
		if where := l.origin[p.key]; where != "" {
			l.fail(where, "%s", p)
		} else {
			l.errs = append(l.errs, p)
		}
	}
}

func place(file string, node ast.Node) string {
	at := node.GetToken().Position
	return fmt.Sprintf("%s:%d:%d", file, at.Line, at.Column)
}

func spaced(s string) string {
	if s == "" {
		return ""
	}
	return s + " "
}
