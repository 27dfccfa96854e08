package redact

// Number is the identity text of placeholder number n: "0001", "A00010000".
func Number(n int) string { return numberText(n) }
