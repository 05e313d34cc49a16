package emulator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/internal/project"
)

// contents is what a storage holds. The zero value is that of an empty one.
type contents struct {
	found   bool // any record
	version bool
	project *projectValue // nil if there is none
	id      string        // of the project
	secret  func() string // a closure, so that no way of printing it shows the secret; nil if there is none
	secrets string        // id of the project that the secret belongs to

	behavior *Behavior
	clients  stored[m2mClient]
	apps     stored[connectedApp]
	keys     []Record // read once the project is known
	minted   map[string]int
	revoked  map[tokenHash]int64
	deleted  map[string]map[string]bool // ids of deleted seeds, by kind
}

// stored is the content of a table.
type stored[T any] struct {
	ids  map[string]bool
	rows []storedRow[T]
	last uint64
}

type storedRow[T any] struct {
	id string
	*row[T]
}

type versionValue struct {
	Format int `json:"format"`
}

type projectValue struct {
	Issuer string `json:"issuer"`
}

type secretTextValue struct {
	Secret string `json:"secret"`
}

// readStorage reads all records and checks that they fit together.
func readStorage(from Storage) (*contents, error) {
	c := &contents{
		clients: stored[m2mClient]{ids: map[string]bool{}}, apps: stored[connectedApp]{ids: map[string]bool{}},
		minted: map[string]int{}, revoked: map[tokenHash]int64{}, deleted: map[string]map[string]bool{kindClient: {}, kindApp: {}},
	}
	if from == nil {
		return c, nil
	}
	for r, err := range from.Load() {
		if err != nil {
			return nil, fmt.Errorf("%w: load: %w", ErrStorage, err)
		}
		c.found = true
		if err := c.read(r); err != nil {
			return nil, err
		}
	}
	if !c.found {
		return c, nil
	}
	if !c.version {
		return nil, Record{Kind: kindVersion, ID: "format"}.unreadable("it is missing")
	}
	if c.secret != nil && (c.project == nil || c.secrets != c.id) {
		return nil, Record{Kind: kindProjectSecret, ID: c.secrets}.unreadable("it belongs to another project")
	}
	if err := c.clients.sort(kindClient); err != nil {
		return nil, err
	}
	return c, c.apps.sort(kindApp)
}

func (c *contents) read(r Record) error {
	switch r.Kind {
	case kindVersion:
		return c.readVersion(r)
	case kindProject:
		return c.readProject(r)
	case kindProjectSecret:
		return c.readSecret(r)
	case kindBehavior:
		return c.readBehavior(r)
	case kindClient:
		client, seq, err := decodeClient(r)
		return c.clients.add(r, client, seq, err)
	case kindApp:
		app, seq, err := decodeApp(r)
		return c.apps.add(r, app, seq, err)
	case kindKey:
		c.keys = append(c.keys, r)
		return nil
	case kindMinted:
		v, err := decodeRecord[mintedValue](r)
		if err == nil && (v.Count < 1 || c.minted[r.ID] > 0) {
			return r.unreadable("the count must be positive, and there must be one for each client")
		}
		c.minted[r.ID] = v.Count
		return err
	case kindRevoked:
		token, expires, err := decodeRevoked(r)
		c.revoked[token] = expires
		return err
	case kindSequence:
		return c.readSequence(r)
	case kindDeletedSeed:
		return c.readDeletedSeed(r)
	}
	return r.unreadable("this version does not know the kind: a newer version may have written it")
}

func (c *contents) readVersion(r Record) error {
	v, err := decodeRecord[versionValue](r)
	if err == nil && v.Format != storageFormat {
		return fmt.Errorf("%w: record %q %.256q: the data has format %d, and this version reads format %d: use the version that wrote the data, or start with an empty storage",
			ErrStorage, r.Kind, r.ID, v.Format, storageFormat)
	}
	c.version = true
	return err
}

func (c *contents) readProject(r Record) error {
	v, err := decodeRecord[projectValue](r)
	switch {
	case err != nil:
		return err
	case c.project != nil:
		return r.unreadable("there is more than one project")
	case project.CheckID(r.ID) != nil:
		return r.unreadable("the id is not one of a project")
	case checkIssuer(v.Issuer) != nil:
		return r.unreadable("the issuer must be a URL without user, query, fragment or trailing slash")
	}
	c.project, c.id = &v, r.ID
	return nil
}

func (c *contents) readSecret(r Record) error {
	v, err := decodeRecord[secretTextValue](r)
	if err != nil {
		return err
	}
	if c.secret != nil || project.CheckCredentials(r.ID, v.Secret) != nil {
		return r.unreadable("it is not the one secret of a project")
	}
	c.secret, c.secrets = func() string { return v.Secret }, r.ID
	return nil
}

func (c *contents) readBehavior(r Record) error {
	b, err := decodeRecord[Behavior](r)
	if err != nil {
		return err
	}
	filled, err := b.filled()
	if err != nil {
		return r.unreadable("%w", err)
	}
	c.behavior = &filled
	return nil
}

func (c *contents) readSequence(r Record) error {
	v, err := decodeRecord[sequenceValue](r)
	if err != nil {
		return err
	}
	switch r.ID {
	case kindClient:
		c.clients.last = max(c.clients.last, v.Last)
	case kindApp:
		c.apps.last = max(c.apps.last, v.Last)
	default:
		return r.unreadable("the id must be %s or %s", kindClient, kindApp)
	}
	return nil
}

func (c *contents) readDeletedSeed(r Record) error {
	if _, err := decodeRecord[struct{}](r); err != nil {
		return err
	}
	kind, id, _ := strings.Cut(r.ID, "/")
	if c.deleted[kind] == nil || id == "" {
		return r.unreadable("the id must be a kind, a slash and an id")
	}
	c.deleted[kind][id] = true
	return nil
}

func (s *stored[T]) add(r Record, record *T, seq uint64, err error) error {
	if err != nil {
		return err
	}
	if s.ids[r.ID] || r.ID == "" || seq == 0 {
		return r.unreadable("there must be one record for each id, with a positive seq")
	}
	s.ids[r.ID] = true
	s.rows = append(s.rows, storedRow[T]{r.ID, &row[T]{seq: seq, record: record}})
	return nil
}

// sort restores the order of creation.
func (s *stored[T]) sort(kind string) error {
	slices.SortFunc(s.rows, func(a, b storedRow[T]) int { return cmp.Compare(a.seq, b.seq) })
	for i, r := range s.rows {
		if i > 0 && r.seq == s.rows[i-1].seq {
			return Record{Kind: kind, ID: r.id}.unreadable("another record has the same seq")
		}
		s.last = max(s.last, r.seq)
	}
	return nil
}

// signingKeys reads the keys of a project in their order.
func (c *contents) signingKeys(env string) (keys []signingKey, err error) {
	for _, r := range c.keys {
		key, err := decodeKey(r, env)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(keys, func(other signingKey) bool { return other.kid == key.kid || other.order == key.order }) {
			return nil, r.unreadable("there must be one record for each key, with an order of its own")
		}
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b signingKey) int { return cmp.Compare(a.order, b.order) })
	return keys, nil
}
