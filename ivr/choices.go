package ivr

import "hark/im"

// choicesOf lists the numbered choices that a text brings, in order; nil when it brings none.
func choicesOf(text string) []string { return im.NumberedChoices(text) }
