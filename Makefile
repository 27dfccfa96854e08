# Everything that a target needs and that is missing is installed by it; after
# that it works offline. Only the checkout and the caches of go and npm are
# written to, apart from Debian packages.

GO ?= go
FUZZTIME ?= 10s
BENCH ?= .
# The end-to-end tests carry this tag: they need programs that go cannot fetch.
E2E := -tags e2e
# A race-built process sleeps for a second when it ends; the tests start hundreds.
RACE := GORACE="atexit_sleep_ms=20"

.DEFAULT_GOAL := help
.PHONY: help build test race lint fuzz cover bench demo update-golden ci e2e unit

help: ## what can be made
	@printf 'make TARGET\n\n'
	@sed -n -E 's/^([a-z0-9-]+):[^#]*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

build: ## bin/tapedeck
	$(GO) build -o bin/ ./cmd/tapedeck

test: unit e2e ## all tests: unit, command line, and end to end with real clients

# Unit tests and the scenarios of the command line: no network, no other program.
unit:
	$(GO) test ./...
	cd examples/stripe/go && $(GO) vet .
	cd examples/flows/clients/go && $(GO) vet .
	cd examples/sessions/go && $(GO) vet .

# Not from the cache: the tests run a program that the cache does not know of.
e2e: ## record and replay with curl, Python, Node and Go against stripe-mock
	@.ci/install test
	$(GO) test $(E2E) -count=1 ./cmd/tapedeck/e2e ./examples/upstreams

race: ## unit tests, and real clients end to end, with the race detector, tapedeck included
	@.ci/install race test
	$(RACE) $(GO) test -race ./...
	$(RACE) $(GO) test -race $(E2E) -count=1 -skip '^(TestCanary|TestCI|TestFlow|TestGit|TestPictures)' ./cmd/tapedeck/e2e ./examples/upstreams

lint: ## gofmt, go vet, staticcheck, govulncheck, allowed imports
	@.ci/install lint
	@unformatted=$$(gofmt -l .); \
	if [ -n "$$unformatted" ]; then echo "gofmt -w these files:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet $(E2E) ./...
	GOOS=windows $(GO) vet ./cmd/... ./proxy/... ./cassettes/... ./matchers/...
	STATICCHECK_CACHE=$(CURDIR)/.cache/staticcheck .cache/bin/staticcheck $(E2E) ./...
	@.ci/vulnerabilities
	$(GO) test -run '^(TestImportsRunOneWay|TestLibrariesHaveAHome)$$' ./cmd/tapedeck

fuzz: ## every fuzz target for FUZZTIME (10s)
	@.ci/fuzz $(FUZZTIME)

cover: ## which lines the unit tests reach: .cache/cover.html
	@mkdir -p .cache
	$(GO) test -coverpkg=./cmd/...,./proxy/...,./cassettes/...,./matchers/... -coverprofile=.cache/cover.out ./...
	$(GO) tool cover -html=.cache/cover.out -o .cache/cover.html
	@$(GO) tool cover -func=.cache/cover.out | tail -n 1

bench: ## the benchmarks named by BENCH (all)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

demo: build ## record Stripe, FastSpring and Digital River, then replay them offline
	@.ci/install demo
	@cd examples/stripe/go && $(GO) build -o $(CURDIR)/.cache/bin/stripe-go .
	@$(GO) run ./examples/demo

update-golden: ## write the expected files of the tests anew; then read the diff
	@for dir in $$(git grep -lE --untracked 'flag\.Bool\("update"' -- '*_test.go' | xargs -r -n 1 dirname | sort -u); do \
		$(GO) test ./$$dir -update || exit 1; \
	done

# One after the other, whatever -j says: they share two cores and one build cache.
ci: ## what has to pass before a merge
	$(MAKE) build
	$(MAKE) lint
	$(MAKE) test
	$(MAKE) race
	$(MAKE) fuzz FUZZTIME=2s
	$(MAKE) demo
