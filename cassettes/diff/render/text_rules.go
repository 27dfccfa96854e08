package render

import (
	"strings"

	"tapedeck/cassettes/diff"
)

// rules prints changes of the configuration, the looser ones first.
func (t *textWriter) rules(list []diff.RuleChange) {
	for _, r := range list {
		grade, paint := "", func(a ...any) string { return a[0].(string) }
		if r.Looser {
			grade, paint = "looser", t.paint.grades[diff.Breaking]
		}
		t.line(paint(grade), strings.Repeat(" ", len(margin)-len(grade)), cut(ruleText(&r), t.width-len(margin)))
		room := t.width - len(margin) - 6
		if r.Old != "" {
			t.line(margin, "    ", t.paint.removed("- "+cut(inLine(r.Old), room)))
		}
		if r.New != "" {
			t.line(margin, "    ", t.paint.added("+ "+cut(inLine(r.New), room)))
		}
	}
}

// ruleText names an entry of the configuration: "tapedeck.yaml: strict".
func ruleText(r *diff.RuleChange) string { return inLine(r.File + ": " + r.What) }

func ruleWords(all, looser int) (words []string) {
	if looser > 0 {
		words = append(words, thousands(looser)+" looser")
	}
	if n := all - looser; n > 0 {
		words = append(words, counted(n, "other change", "other changes"))
	}
	return words
}
