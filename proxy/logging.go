package proxy

import (
	"log"
	"log/slog"
	"strings"
)

// acceptErrors is the logger of net/http's servers. Their messages may quote
// requests and panics, so only the one kind goes through that is about the
// machine: connections that cannot be accepted (too many open files).
func acceptErrors(to *slog.Logger) *log.Logger {
	return log.New(acceptWriter{to}, "", 0)
}

type acceptWriter struct{ log *slog.Logger }

func (w acceptWriter) Write(p []byte) (int, error) {
	if line := string(p); strings.HasPrefix(line, "http: Accept error") {
		w.log.Warn(strings.TrimSpace(line))
	}
	return len(p), nil
}

// silentLogger takes goproxy's messages, which print whole URLs even when it is
// not verbose. What matters of them is logged here by us.
type silentLogger struct{}

func (silentLogger) Printf(string, ...any) {}
