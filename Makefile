# Everything a fresh machine needs comes from go.mod and from here; `make help` lists the targets.
SHELL := /bin/bash
GO ?= go
LINT_VERSION := v2.13.2
MODULES := . $(patsubst %/go.mod,%,$(filter-out ./go.mod,$(shell find . -name go.mod -not -path './node_modules/*' -not -path '*/node_modules/*' | sort)))
FUZZTIME ?= 20s

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## the main job against a local Stytch, step by step
	@$(GO) run ./examples/demo

.PHONY: test
test: ## the tests of every module
	@set -e; for m in $(MODULES); do echo "== $$m"; (cd $$m && $(GO) test ./...); done

.PHONY: race
race: ## the tests under the race detector
	@set -e; for m in $(MODULES); do echo "== $$m"; (cd $$m && $(GO) test -race ./...); done

.PHONY: generate
generate: ## write gen/ from api/
	$(GO) generate ./...

.PHONY: check-generate
check-generate: ## fail if gen/ is not what api/ says
	@./api/codegen/check.sh

.PHONY: vet
vet: ## go vet, formatting and tidiness of every module
	@set -e; for m in $(MODULES); do (cd $$m && $(GO) vet ./... && $(GO) mod tidy -diff); done
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }

.PHONY: lint
lint: bin/golangci-lint-$(LINT_VERSION) ## golangci-lint, pinned
	@set -e; for m in $(MODULES); do (cd $$m && $(CURDIR)/bin/golangci-lint-$(LINT_VERSION) run --config $(CURDIR)/.golangci.yml ./...); done

.PHONY: lint-install
lint-install: bin/golangci-lint-$(LINT_VERSION)

bin/golangci-lint-$(LINT_VERSION):
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv bin/golangci-lint $@

.PHONY: contract
contract: ## lint the contract and run the conformance and property tests against the emulator
	$(GO) test -count=1 ./api/... ./internal/contract/...
	cd test && $(GO) test -count=1 ./conformance/...

.PHONY: contract-live
contract-live: ## run the conformance suite against Stytch (STYTCH_PROJECT_ID, STYTCH_PROJECT_SECRET)
	cd test && $(GO) test -count=1 -tags live -run Live -v ./conformance/...

.PHONY: interop
interop: ## run the official Node SDK against the emulator (needs node and npm)
	cd test && $(GO) test -count=1 -tags interop ./interop/...

.PHONY: torture
torture: ## rotations killed, paused and broken, in the long profile: 1,000 random kills, 100,000 rotations on PostgreSQL
	cd test && M2M_HEAVY_TESTS=long $(GO) test -count=1 -timeout 60m -v -run 'Torture|Kill|TwoEngines|Canar' ./torture
	cd contrib/postgres && M2M_HEAVY_TESTS=long $(GO) test -count=1 -timeout 60m -v -run 'TwoEngines|Paused|Scale' .

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME each
	@./.ci/fuzz $(FUZZTIME)

.PHONY: bench
bench: ## the benchmarks of docs/benchmarks.md
	cd test && $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 20m ./bench
	$(GO) test -run '^$$' -bench . -timeout 20m ./stytch/emulator ./stytch/metadata
	$(GO) test -run '^$$' -bench Rotation -benchtime 1x ./stytch/rotate
	$(GO) test -run '^$$' -bench Fleet10k -benchtime 1x ./stytch/rotate

.PHONY: bench-peers
bench-peers: ## peers side by side, one table of ratios from one interleaved run, and its chart
	cd bench && $(GO) run . -svg ../docs/peers.svg

.PHONY: bench-smoke
bench-smoke: ## the benchmarks once and short, to see that they run
	$(GO) test -short -run '^$$' -bench . -benchtime 1x ./stytch/...

.PHONY: ci
ci: ## what CI runs
	./.ci/run
