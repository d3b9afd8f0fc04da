package prompts

// Args fills the placeholders of a text: ints are spoken as numbers, Digits as single digits, a time.Time relative to
// now, strings as they are.
type Args map[string]any

// Digits is a number that is spoken digit by digit; a space in it is a short pause.
type Digits string
