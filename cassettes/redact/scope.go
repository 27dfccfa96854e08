package redact

import "tapedeck/cassettes/scope"

// Scope is the request that a value belongs to; rules are limited by it.
type Scope = scope.Scope
