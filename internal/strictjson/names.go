package strictjson

import "bytes"

// names are those of one object. The first few are compared one by one, which is quicker than a map and needs no memory;
// after that comes a map, so that many names cannot cost time in proportion to their square.
type names struct {
	few  [12][]byte
	n    int
	many map[string]struct{}
}

// add reports whether the name is new.
func (s *names) add(name []byte) bool {
	if s.many == nil {
		for i := range s.n {
			if bytes.Equal(s.few[i], name) {
				return false
			}
		}
		if s.n < len(s.few) {
			s.few[s.n] = name
			s.n++
			return true
		}
		s.many = make(map[string]struct{}, 2*len(s.few))
		for _, known := range s.few {
			s.many[string(known)] = struct{}{}
		}
	}
	if _, known := s.many[string(name)]; known {
		return false
	}
	s.many[string(name)] = struct{}{}
	return true
}
