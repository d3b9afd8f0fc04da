package asterisk

// CallerNumber is the number of a caller id: "" for the words that stand for a withheld one.
func CallerNumber(id string) string {
	switch id {
	case "anonymous", "Anonymous", "restricted", "Restricted", "unknown", "Unknown", "unavailable", "Unavailable":
		return ""
	}
	return id
}
