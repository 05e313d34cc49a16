package emulator

// open builds the project from its storage, if there is one, and its seeds. New records are stored
// when it returns.
func (set *settings) open() (*state, error) {
	held, err := readStorage(set.storage)
	if err != nil {
		return nil, err
	}
	id, secret, err := set.credentials(held)
	if err != nil {
		return nil, err
	}
	s := newState(id, secret, set.clock)
	s.template, s.strict, s.noTotals = set.template, set.strict, set.noTotals
	if held.project != nil {
		s.issuer = held.project.Issuer
	}
	if set.issuer != "" {
		s.issuer = set.issuer
	}
	behavior := set.behavior
	if held.behavior != nil {
		behavior = *held.behavior
	}
	if err := s.switches.set(nil, behavior); err != nil {
		return nil, err
	}
	if err := s.restore(held); err != nil {
		return nil, err
	}
	if set.signingKey != nil && len(held.keys) == 0 {
		if _, err := s.keys.add(nil, set.signingKey); err != nil {
			return nil, err
		}
	}
	if err := set.plant(s, held); err != nil {
		return nil, err
	}
	if set.storage == nil {
		return s, nil
	}
	return s, set.keep(s, held)
}

// credentials returns the id and the secret of the project.
func (set *settings) credentials(held *contents) (id, secret string, err error) {
	switch {
	case held.project == nil && set.projectID == "":
		return "project-test-" + newUUID(), "secret-test-" + newSecretText(36), nil
	case held.project == nil:
		return set.projectID, set.secret, nil
	case set.projectID != "" && set.projectID != held.id:
		return "", "", invalidArgument("WithProject: the storage holds the project %s: leave WithProject out, or use another storage", held.id)
	case held.secret == nil && set.projectID == "":
		return "", "", Record{Kind: kindProjectSecret, ID: held.id}.unreadable("it is missing, and there is no WithProject")
	case held.secret == nil:
		return held.id, set.secret, nil
	case set.projectID != "" && set.secret != held.secret():
		return "", "", invalidArgument("WithProject: the storage holds another secret for the project %s: leave WithProject out, or use that secret", held.id)
	}
	return held.id, held.secret(), nil
}

// restore fills an empty state with what the storage holds.
func (s *state) restore(held *contents) (err error) {
	if s.keys.keys, err = held.signingKeys(s.env); err != nil {
		return err
	}
	for id, count := range held.minted {
		s.minted.increase(id, count)
	}
	for token, expires := range held.revoked {
		s.revoked.put(token, expires)
	}
	held.clients.fill(&s.clients)
	held.apps.fill(&s.apps)
	return nil
}

func (from *stored[T]) fill(t *table[T]) {
	for _, r := range from.rows {
		t.append(r.id, r.row)
	}
	t.last = from.last
}

// plant adds the seeds that are missing.
func (set *settings) plant(s *state, held *contents) error {
	b := s.switches.load()
	skip := func(id string, ids, deleted map[string]bool) bool {
		if id == "" {
			return held.found
		}
		return ids[id] || deleted[id]
	}
	if set.storage != nil {
		s.clients.seeds, s.apps.seeds = held.deleted[kindClient], held.deleted[kindApp]
	}
	for _, f := range set.clients {
		for i := range f.n {
			seed := f.seed(i)
			s.clients.markSeed(seed.ClientID)
			if skip(seed.ClientID, held.clients.ids, held.deleted[kindClient]) {
				continue
			}
			if err := seed.addTo(s, b); err != nil {
				return invalidArgument("M2M client seed %d: %w", i, err)
			}
		}
	}
	for i, seed := range set.apps {
		s.apps.markSeed(seed.ClientID)
		if skip(seed.ClientID, held.apps.ids, held.deleted[kindApp]) {
			continue
		}
		if err := seed.addTo(s, b); err != nil {
			return invalidArgument("Connected App seed %d: %w", i, err)
		}
	}
	return nil
}

// markSeed notes the id of a seed, so that its deletion is stored.
func (t *table[T]) markSeed(id string) {
	if t.seeds != nil && id != "" && !t.seeds[id] {
		t.seeds[id] = false
	}
}

// keep stores what the storage does not hold yet, in one call: after a crash, the seeds are there
// or the storage is still empty.
func (set *settings) keep(s *state, held *contents) error {
	var records []Record
	if !held.version {
		records = append(records, newRecord(kindVersion, "format", versionValue{storageFormat}))
	}
	if held.project == nil || held.project.Issuer != s.issuer {
		records = append(records, newRecord(kindProject, s.id, projectValue{s.issuer}))
	}
	if held.secret == nil {
		records = append(records, newRecord(kindProjectSecret, s.id, secretTextValue{s.reveal()}))
	}
	if held.behavior == nil {
		records = append(records, encodeBehavior(s.switches.load()))
	}
	if len(held.keys) == 0 {
		for _, key := range s.keys.keys {
			records = append(records, encodeKey(key))
		}
	}
	records = append(records, s.clients.after(held.clients.last)...)
	records = append(records, s.apps.after(held.apps.last)...)

	to := &store{storage: set.storage}
	if len(records) > 0 {
		var p pending
		to.save(&p, records...)
		if err := to.settle(&p); err != nil {
			return err
		}
	}
	s.attach(to)
	return nil
}
