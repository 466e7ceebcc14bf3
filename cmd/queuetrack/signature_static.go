package main

import (
	"maps"
	"slices"
	"strings"
)

// schemes are the words that an authorization begins with. No other first word is ever printed: it may be the secret.
func schemes() []string { return []string{"Bearer", "Basic", "ApiKey", "Token"} }

// static looks into a header that should have been the secret itself.
func (d diagnosis) static(value string) {
	word := schemeOf(value)
	for _, try := range staticForms(value, word) {
		if key := d.verifiesWith(try.value); key != "" {
			d.say("%s; secret %s would verify it then", try.what, key)
			d.say("have Ombori send the header's whole value as the secret has it, or make the secret what Ombori sends")
			return
		}
	}
	if word == "" {
		word = "no scheme word (as Bearer)"
	} else {
		word = "the word " + word
	}
	d.say("%s is there, with a value of %s that begins with %s; it is another value than %s", d.header,
		counted(len(value), "byte"), word, strings.Join(d.source.secretNames(), ", "))
	d.say("what that leaves: Ombori sends another value than the secret, or the secret is not the header's whole value")
}

// otherHeader finds the value under another name.
func (d diagnosis) otherHeader() {
	for _, name := range slices.Sorted(maps.Keys(d.from.header)) {
		for _, value := range d.from.header[name] {
			if key := d.verifiesWith(value); key != "" {
				d.say("the header %s holds what secret %s expects", name, key)
				_ = d.advise("header", name) // a name always prints
				return
			}
		}
	}
}

// verifiesWith returns the name of the secret that verifies the delivery with this value of the header, else nothing.
func (d diagnosis) verifiesWith(value string) string {
	opened, err := d.source.open()
	if err != nil {
		return ""
	}
	h := d.from.header.Clone()
	h.Set(d.header, value)
	key, err := opened.Verify(h, d.from.body)
	if err != nil {
		return ""
	}
	return key
}

// staticForm is how the value may have been meant, and what is different then.
type staticForm struct{ value, what string }

func staticForms(value, word string) []staticForm {
	list := []staticForm{
		{strings.Trim(value, `"'`), "the value stands in quotes, which the secret has not"},
		{`"` + value + `"`, "the secret stands in quotes, which the value has not"},
		{strings.Join(strings.Fields(value), " "), "the value has other white space than the secret"},
	}
	_, rest, _ := strings.Cut(value, " ")
	for _, s := range schemes() {
		for _, written := range []string{s, strings.ToLower(s), strings.ToUpper(s)} {
			if word != "" {
				list = append(list, staticForm{written + " " + rest, "the value begins with the word " + word + " where the secret has " + written})
			} else {
				list = append(list, staticForm{written + " " + value, "the scheme word " + written + " is missing: the secret begins with it, the value does not"})
			}
		}
	}
	if word != "" {
		list = append(list, staticForm{rest, "the value begins with the word " + word + ", the secret does not"})
	}
	return list
}

// schemeOf returns the scheme word that a value begins with, as it is written there.
func schemeOf(value string) string {
	word, _, ok := strings.Cut(value, " ")
	if ok && slices.ContainsFunc(schemes(), func(s string) bool { return strings.EqualFold(s, word) }) {
		return word
	}
	return ""
}
