package ivr

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shorts are what people write shorter than they say it.
type shorts struct {
	words map[string]string // lower case, with the dots that belong to it
	signs *strings.Replacer
	money map[string]string // sign of a currency, to its name behind an amount
	mixed string            // between a number and a fraction
	clock string            // between hours and "Uhr", where a language says it so; "" leaves times to the synthesiser
}

// shortsOf holds the languages that have any; another one is read as it is written.
var shortsOf = map[string]shorts{
	"en": {
		words: map[string]string{
			"e.g.": "for example", "eg.": "for example", "i.e.": "that is", "etc.": "and so on", "etc": "and so on", "vs.": "versus",
			"vs": "versus", "approx.": "approximately", "mr.": "mister", "mrs.": "missis", "dr.": "doctor", "asap": "as soon as possible",
			"btw": "by the way", "imo": "in my opinion", "imho": "in my humble opinion", "idk": "I don't know", "brb": "be right back",
			"lol": "laughing", "rofl": "laughing", "omg": "oh my god", "thx": "thanks", "pls": "please", "plz": "please",
			"afaik": "as far as I know", "fyi": "for your information", "tbh": "to be honest", "ttyl": "talk to you later",
			"b4": "before", "gr8": "great", "w/o": "without", "w/": "with", "tmrw": "tomorrow", "msg": "message", "min.": "minutes",
			"hrs": "hours", "ppl": "people", "wrt": "with regard to", "iirc": "if I remember right", "fwiw": "for what it's worth",
			"np": "no problem", "ty": "thank you", "yw": "you're welcome", "hth": "hope that helps", "afk": "away from keyboard",
			"<": "less than", ">": "greater than", "=": "equals", "+": "plus", "km/h": "kilometres an hour", "mph": "miles an hour", "kg": "kilograms", "km": "kilometres", "cm": "centimetres",
		},
		signs: strings.NewReplacer("&", " and ", "°C", " degrees", "°F", " degrees Fahrenheit", "°", " degrees", "½", " a half",
			"¼", " a quarter", "¾", " three quarters", "×", " times ", "±", " plus or minus ", "≈", " about ", "→", ", ", "…", ". ", "@", " at "),
		mixed: " and ",
		money: map[string]string{"€": "euros", "£": "pounds", "$": "dollars", "¥": "yen"},
	},
	"de": {
		words: map[string]string{
			"z.b.": "zum Beispiel", "z.b": "zum Beispiel", "d.h.": "das heißt", "usw.": "und so weiter", "usw": "und so weiter",
			"bzw.": "beziehungsweise", "bzw": "beziehungsweise", "ca.": "circa", "u.a.": "unter anderem", "evtl.": "eventuell",
			"ggf.": "gegebenenfalls", "inkl.": "inklusive", "str.": "Straße", "hr.": "Herr", "fr.": "Frau", "dr.": "Doktor",
			"mfg": "mit freundlichen Grüßen", "lg": "liebe Grüße", "vg": "viele Grüße", "hdl": "hab dich lieb", "kp": "kein Problem",
			"vllt": "vielleicht", "vlt": "vielleicht", "iwie": "irgendwie", "btw": "übrigens", "asap": "so bald wie möglich",
			"thx": "danke", "bspw.": "beispielsweise", "tel.": "Telefon", "min.": "Minuten", "std.": "Stunden", "km/h": "Kilometer pro Stunde",
			"<": "kleiner als", ">": "größer als", "=": "ist gleich", "+": "plus", "kg": "Kilogramm", "km": "Kilometer", "cm": "Zentimeter", "wg.": "wegen", "max.": "maximal", "mind.": "mindestens",
			"i.d.r.": "in der Regel", "u.u.": "unter Umständen", "o.ä.": "oder ähnlich", "u.s.w.": "und so weiter", "z.t.": "zum Teil", "z.z.": "zur Zeit",
			"s.o.": "siehe oben", "s.u.": "siehe unten", "vgl.": "vergleiche", "nr.": "Nummer", "sog.": "sogenannt", "exkl.": "exklusive",
			"zzgl.": "zuzüglich", "bzgl.": "bezüglich", "lt.": "laut", "geb.": "geboren", "tägl.": "täglich", "vorm.": "vormittags", "nachm.": "nachmittags",
			"ka": "keine Ahnung", "gn8": "gute Nacht", "bg": "breites Grinsen", "ild": "ich liebe dich", "wmd": "was machst du", "bb": "bis bald",
			"hdgdl": "hab dich ganz doll lieb", "omg": "oh mein Gott", "lol": "lachend", "rofl": "lachend", "afk": "nicht da", "pls": "bitte", "np": "kein Problem",
			"mm": "Millimeter", "ml": "Milliliter", "kwh": "Kilowattstunden", "std": "Stunden", "okt.": "Oktober", "dez.": "Dezember", "feb.": "Februar",
		},
		signs: strings.NewReplacer("&", " und ", "°C", " Grad", "°F", " Grad Fahrenheit", "°", " Grad", "½", " einhalb", "¼", " ein Viertel",
			"¾", " drei Viertel", "×", " mal ", "±", " plus minus ", "≈", " etwa ", "→", ", ", "…", ". ", "@", " at "),
		money: map[string]string{"€": "Euro", "£": "Pfund", "$": "Dollar", "¥": "Yen"},
		clock: "Uhr",
	},
}

// faces are the emoticons of old, as emoji.
var faces = map[string]string{
	":)": "\U0001f642", ":-)": "\U0001f642", "(:": "\U0001f642", ";)": "\U0001f609", ";-)": "\U0001f609", ":D": "\U0001f603",
	":-D": "\U0001f603", "xD": "\U0001f606", "XD": "\U0001f606", ":(": "\U0001f61e", ":-(": "\U0001f61e", ":'(": "\U0001f622",
	":P": "\U0001f609", ":-P": "\U0001f609", ":*": "\U0001f618", ":-*": "\U0001f618", "<3": "\u2764", ":O": "\U0001f631",
	"^^": "\U0001f60a",
}

var (
	moneyBefore = regexp.MustCompile(`(?:\b(?:US|CA|AU))?([€£$¥])\s?(\d+(?:[.,]\d+)*)`)
	moneyAfter  = regexp.MustCompile(`(\d+(?:[.,]\d+)*)\s?([€£$¥])`)
	fraction    = regexp.MustCompile(`(\d)([½¼¾])`)
	clockTime   = regexp.MustCompile(`\b([01]?\d|2[0-3]):([0-5]\d)\b(?:\s*Uhr\b)?`)
)

// inFull writes out what is written short.
func inFull(text, lang string) string {
	text = inWords(text, func(word string) (string, bool) { face, ok := faces[word]; return face, ok })
	s, ok := shortsOf[lang]
	if !ok {
		return text
	}
	text = s.amounts(text)
	text = inWords(text, s.word)
	if s.clock != "" {
		text = clockTime.ReplaceAllStringFunc(text, s.oClock)
	}
	return s.signs.Replace(fraction.ReplaceAllString(text, "${1}"+s.mixed+"${2}"))
}

// inWords replaces words between blanks.
func inWords(text string, word func(string) (string, bool)) string {
	var out strings.Builder
	for text != "" {
		end := strings.IndexFunc(text, unicode.IsSpace)
		if end < 0 {
			end = len(text)
		}
		if full, ok := word(text[:end]); ok {
			out.WriteString(full)
		} else {
			out.WriteString(text[:end])
		}
		_, blank := utf8.DecodeRuneInString(text[end:])
		out.WriteString(text[end : end+blank])
		text = text[end+blank:]
	}
	return out.String()
}

// word looks a word up, without what stands around it.
func (s shorts) word(word string) (string, bool) {
	core := strings.TrimLeft(word, "(\"'„“")
	head := word[:len(word)-len(core)]
	if full, ok := s.words[strings.ToLower(core)]; ok {
		return head + full, true
	}
	for _, around := range []string{",;:!?)\"'“”", ".,;:!?)\"'“”"} { // a dot may belong to the word
		trimmed := strings.TrimRight(core, around)
		if full, ok := s.words[strings.ToLower(trimmed)]; ok {
			return head + full + core[len(trimmed):], true
		}
	}
	return "", false
}

// amounts says the currency behind the amount.
func (s shorts) amounts(text string) string {
	if !strings.ContainsAny(text, "€£$¥") {
		return text
	}
	text = moneyBefore.ReplaceAllStringFunc(text, func(m string) string {
		parts := moneyBefore.FindStringSubmatch(m)
		return parts[2] + " " + s.money[parts[1]]
	})
	return moneyAfter.ReplaceAllStringFunc(text, func(m string) string {
		parts := moneyAfter.FindStringSubmatch(m)
		return parts[1] + " " + s.money[parts[2]]
	})
}

// oClock says a time of day as "14 Uhr 30".
func (s shorts) oClock(m string) string {
	parts := clockTime.FindStringSubmatch(m)
	hour, _ := strconv.Atoi(parts[1])
	minute, _ := strconv.Atoi(parts[2])
	if minute == 0 {
		return fmt.Sprintf("%d %s", hour, s.clock)
	}
	return fmt.Sprintf("%d %s %d", hour, s.clock, minute)
}
