package ivr

func speakable(text string, words func(id string, pairs ...any) string) string { return text }
func sentences(s string) []string                                              { return []string{s} }
func isURL(s string) bool                                                      { return false }
