package strictjson

import "bytes"

// names are the names of one object. The first few are compared one by one, which is faster than a
// map and allocates nothing. More of them go into a map, so that the time does not grow with the
// square of their number.
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
