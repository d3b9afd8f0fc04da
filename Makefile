# What a developer of Hark does, by one word each. `make` alone lists the words.
#
# Everything runs on real parts: Asterisk in a cache folder outside the checkout (scripts/asterisk.sh), Prosody, SIPp
# and the speech synthesisers from the system's packages (scripts/deps.sh). Only Go must be there before.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
PKG     ?= ./...
FUZZTIME ?= 20s
# The longest that the tests of one package may take: a build machine may have two cores and other things to do.
TIMEOUT ?= 15m

.PHONY: help
help: ## list these words
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## fetch and install what is missing, once (Debian; needs root or sudo for packages)
	@scripts/deps.sh
	@scripts/asterisk.sh >/dev/null

.PHONY: setup-tests
setup-tests: ## the same for what only tests and benches use: browsers, a WAP gateway, PostgreSQL
	@scripts/deps.sh tests
	@scripts/asterisk.sh >/dev/null

.PHONY: build
build: setup ## compile hark and the lab into bin
	@echo "building (the first time this compiles SQLite, which takes a minute)" && $(GO) build -o bin/ ./cmd/...

.PHONY: demo
demo: build ## play the whole story once on real parts, and check each step
	@bin/lab demo

.PHONY: cluster-demo
cluster-demo: setup-tests build ## kill and stop nodes of a cluster while its users are written to, and count
	@bin/lab cluster-demo

.PHONY: run
run: build ## bring the same system up and keep it, to call it yourself
	@bin/lab run

.PHONY: check
check: ## what needs no real parts: format, vet, staticcheck
	@echo "gofmt" && unformatted=$$(gofmt -s -l .) && { test -z "$$unformatted" || { echo "not formatted: $$unformatted"; exit 1; }; }
	@echo "go vet" && $(GO) vet $(PKG)
	@echo "staticcheck" && $(GO) tool staticcheck $(PKG)

.PHONY: test
test: setup-tests check ## every test, on real parts, with the race detector
	@echo "go test (the first time it builds everything, which takes some minutes)" && GO="$(GO)" scripts/test.sh -race -timeout $(TIMEOUT) $(PKG)

.PHONY: fuzz
fuzz: ## run each fuzz test for FUZZTIME (20s)
	@GO="$(GO)" scripts/fuzz.sh $(FUZZTIME)

.PHONY: pictures
pictures: setup-tests ## take the README's pictures of the page behind a link anew, in a real browser
	@mkdir -p bin && $(GO) test ./audio -count=1 -run '^TestChromium$$' -picture $(CURDIR)/bin/page
	@for scheme in light dark; do cp bin/page-640-$$scheme.png docs/page-$$scheme.png; done

.PHONY: bench
bench: setup-tests build ## measure calls, sessions, voice messages and the cache, side by side with what others do
	@bin/lab bench
