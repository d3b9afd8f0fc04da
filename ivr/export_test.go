package ivr

// SetTrace has f called whenever a call enters a state.
func (s *Server) SetTrace(f func(line Line, state string)) {
	s.trace = func(line Line, at state) { f(line, string(at)) }
}

// States lists the states of the dialogue.
func States() []string {
	var list []string
	for name := range tree {
		list = append(list, string(name))
	}
	return list
}
