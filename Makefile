# Everything that a fresh machine needs comes from go.mod and from here. `make help` lists the targets.
#
# M2M_HEAVY_TESTS chooses how much the tests prove: unset, what fits in a minute; 1, every proof; long, a soak test.
SHELL := /bin/bash
GO ?= go
LINT_VERSION := v2.13.2
VULN_VERSION := v1.9.0
GREMLINS_VERSION := v0.6.0
GOMOD_BOM_VERSION := v1.10.0
APIDIFF_VERSION := v0.0.0-20261113113407-e3970619a1a4
FUZZTIME ?= 20s
ALL_MODULES := . $(patsubst %/go.mod,%,$(filter-out ./go.mod,$(shell find . -name go.mod -not -path '*/node_modules/*' -not -path '*/testdata/*' | sort)))

# NEWER are the modules that need a newer Go than this one, where GOTOOLCHAIN=local keeps it from getting that.
NEWER := $(shell $(GO) env GOVERSION GOTOOLCHAIN | { read -r have; read -r chain; [ "$$chain" != local ] || \
	awk -v have="$$have" '/^go / {split("go" $$2, n, "."); split(have, h, "."); sub("go", "", n[1]); sub("go", "", h[1]); m = FILENAME; sub("/go.mod$$", "", m); \
		if (n[1] > h[1] || n[1] == h[1] && n[2] + 0 > h[2] + 0) print m}' $(addsuffix /go.mod,$(ALL_MODULES)); })
$(if $(NEWER),$(info left out, because they need a newer Go than this one: $(NEWER)))
MODULES := $(filter-out $(NEWER),$(ALL_MODULES))

# CONCURRENT are the modules with goroutines or locks of their own.
CONCURRENT := . ./contrib/postgres ./contrib/redis

# in_modules runs a command in the folder of each module in $(1).
in_modules = @set -e; for m in $(1); do echo "== $$m"; (cd $$m && $(2)); done

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  M2M_HEAVY_TESTS=1 adds the proofs that take minutes to any go test, as make heavy and CI do;'
	@echo '  M2M_HEAVY_TESTS=long runs them in the profile of make torture.'

.PHONY: demo
demo: ## rotate a secret against a local Stytch, step by step
	@$(GO) run ./examples/demo

.PHONY: test
test: ## the tests of every module, without the heavy ones
	$(call in_modules,$(MODULES),$(GO) test ./...)

# The heavy proofs run without the race detector, which makes them several times slower; "make race" looks for races in the light ones.
.PHONY: heavy
heavy: heavy-root heavy-nested ## the heavy proofs of every module

.PHONY: heavy-root heavy-nested
heavy-root heavy-nested: export M2M_HEAVY_TESTS ?= 1
heavy-root:
	$(GO) test ./...
heavy-nested:
	cd contrib/postgres && $(GO) test -timeout 60m ./...
	cd cmd/stytchctl && $(GO) test -timeout 60m ./...
	cd test && $(GO) test -timeout 60m ./bench ./conformance ./drift ./readme ./torture

.PHONY: house
house: ## the rules of the repository: imports, file cycles, wording of errors and comments
	cd test && $(GO) test -count=1 ./house

.PHONY: race
race: export CGO_ENABLED = 1
race: ## the tests of what runs concurrently under the race detector, without the heavy ones and those that start processes
	$(GO) test -race ./stytch/... $$($(GO) list ./internal/... | grep -v /internal/contract)
	$(call in_modules,$(filter-out .,$(CONCURRENT)),$(GO) test -race ./...)
	cd cmd/stytchctl && $(GO) test -race ./internal/admin ./internal/console ./internal/instance ./internal/proxy ./internal/requestlog ./internal/server ./internal/store
	cd test && $(GO) test -race -run Storm ./conformance

.PHONY: test-sequential
test-sequential: ## the tests of the modules that heavy leaves out
	$(call in_modules,$(filter-out . ./test ./cmd/stytchctl ./contrib/postgres,$(MODULES)),$(GO) test ./...)

.PHONY: generate
generate: ## write gen/ from api/, and the admin API of the emulator from its contract
	$(GO) generate ./...
	cd cmd/stytchctl && $(GO) generate ./internal/admin

.PHONY: new-operation
new-operation: ## begin an operation (NAME=AuditM2MClient METHOD=get ROUTE=/v1/m2m/clients/{client_id}/audit)
	$(GO) run ./api/codegen/newoperation -name '$(NAME)' -method '$(METHOD)' -path '$(ROUTE)'
	$(MAKE) generate

.PHONY: docs
docs: ## write docs/stytchctl.md from the commands
	cd cmd/stytchctl && $(GO) test -count=1 ./internal/command -run TestReference -update

.PHONY: check-generate
check-generate: ## fail if generated code is not what the contracts say
	@./api/codegen/check.sh

.PHONY: vet
vet: tidy ## go vet, formatting and tidiness of every module
	@set -e; for m in $(MODULES); do (cd $$m && $(GO) vet ./...); done

.PHONY: tidy
tidy: ## formatting and tidiness of every module
	@set -e; for m in $(MODULES); do (cd $$m && $(GO) mod tidy -diff); done
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }

.PHONY: vet-platforms
vet-platforms: ## type-check and vet every module for 32 bits, Windows and macOS
	cd test && M2M_HEAVY_TESTS=1 $(GO) test -count=1 ./platforms

# LINTED leaves tools/ out, whose dependencies take longer to read than all that it says of them. "make lint LINTED=./tools/contractdiff" reads them.
LINTED ?= $(filter-out ./tools/%,$(MODULES))

.PHONY: lint
lint: bin/golangci-lint-$(LINT_VERSION) ## golangci-lint, pinned
	@set -e; for m in $(LINTED); do (cd $$m && $(CURDIR)/bin/golangci-lint-$(LINT_VERSION) run --config $(CURDIR)/.golangci.yml ./...); done

.PHONY: contract
contract: ## lint the contract and run the conformance and property tests against the emulator
	$(GO) test -count=1 ./api/... ./internal/contract/...
	cd test && M2M_HEAVY_TESTS=1 $(GO) test -count=1 ./conformance

.PHONY: contract-diff
contract-diff: ## which edits of the contract break callers since the last release, or since BASE (a tag, a commit, or none)
	@./.ci/contract-diff $(if $(BASE),-base '$(BASE)')

.PHONY: contract-changelog
contract-changelog: ## write the section of VERSION in api/CHANGELOG.md, from what changed since the last release or BASE
	@./.ci/contract-diff $(if $(BASE),-base '$(BASE)') -changelog '$(VERSION)'

.PHONY: contract-live
contract-live: ## run the conformance suite against Stytch (STYTCH_PROJECT_ID, STYTCH_PROJECT_SECRET)
	cd test && $(GO) test -count=1 -tags live -run Live -v ./conformance

.PHONY: interop
interop: ## run the official Node SDK against the emulator (needs node and npm)
	cd test && $(GO) test -count=1 -tags interop ./interop

.PHONY: languages
languages: ## a linter, TypeScript, a workflow runner and a validating proxy on the contract (needs node and npm)
	cd test && $(GO) test -count=1 -tags languages ./languages

.PHONY: console-test
console-test: ## the console in headless Chromium, with screenshots in test/console/screenshots (needs node, npm and chromium)
	cd test && $(GO) test -count=1 -timeout 20m -tags console ./console

.PHONY: console-picture
console-picture: export CONSOLE_PICTURE = $(CURDIR)/docs/console.png
console-picture: console-test ## the same, and take the picture of the README again

.PHONY: reference
reference: ## write the API reference as static HTML into docs/reference
	cd cmd/stytchctl && $(GO) run ./internal/console/writereference $(CURDIR)/docs/reference

.PHONY: contract-assets
contract-assets: ASSETS ?= $(CURDIR)/dist
contract-assets: ## write the contract as a release publishes it, YAML and JSON with checksums, into ASSETS (dist)
	@cd test && $(GO) run ./contractassets $(CURDIR)/api $(abspath $(ASSETS))

.PHONY: torture
torture: ## rotations killed, paused and broken, as a soak test: 1,000 random kills, 100,000 rotations on PostgreSQL
	cd test && M2M_HEAVY_TESTS=long $(GO) test -count=1 -timeout 60m -v -run 'Torture|Kill|TwoEngines|Canar' ./torture
	cd contrib/postgres && M2M_HEAVY_TESTS=long $(GO) test -count=1 -timeout 60m -v -run 'TwoEngines|Paused|Scale' .

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME each
	@./.ci/fuzz $(FUZZTIME)

.PHONY: bench
bench: ## the benchmarks of docs/benchmarks.md
	cd test && $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 20m ./bench
	$(GO) test -run '^$$' -bench . -timeout 20m ./stytch/emulator ./stytch/metadata
	$(GO) test -run '^$$' -bench . -benchtime 1x ./stytch/rotate/...

.PHONY: bench-peers
bench-peers: ## peers side by side, one table of ratios from one interleaved run, and its chart
	cd bench && $(GO) run . -svg ../docs/peers.svg

.PHONY: bench-smoke
bench-smoke: ## every benchmark once and short, to see that it runs
	$(GO) test -short -run '^$$' -bench . -benchtime 1x ./stytch/... ./internal/...
	cd test && $(GO) test -short -run '^$$' -bench . -benchtime 1x ./bench
	cd bench && $(GO) run . -short

.PHONY: mutate
mutate: bin/gremlins-$(GREMLINS_VERSION) ## change the core line by line and see that its own tests notice (an hour; not in CI)
	@GREMLINS=$(CURDIR)/$< ./.ci/mutate $(PACKAGES)

.PHONY: api-diff
api-diff: bin/apidiff-$(APIDIFF_VERSION) ## what changed in the exported API of each module since the last tag
	@cd test && $(GO) run ./release/tool api-changes -api-tool $(CURDIR)/$<

.PHONY: install
install: ## install stytchctl into the folder of go env GOBIN
	cd cmd/stytchctl && CGO_ENABLED=0 $(GO) install -trimpath -ldflags='-s -w' .

.PHONY: release-check
release-check: ## publish all modules to a folder, install the command and use the SDK from there
	cd test && M2M_HEAVY_TESTS=1 $(GO) test -count=1 -v ./release

.PHONY: licenses
licenses: ## the licenses of all dependencies; fails if one is unknown or not allowed
	@cd test && $(GO) run ./release/tool licenses

# A dry run, unless RELEASE=tag makes the tags in this clone. Nothing is pushed.
.PHONY: release
release: bin/apidiff-$(APIDIFF_VERSION) bin/cyclonedx-gomod-$(GOMOD_BOM_VERSION) ## check and build VERSION=vX.Y.Z into dist/; RELEASE=tag also makes its tags
	@cd test && $(GO) run ./release/tool release -version '$(VERSION)' $(if $(filter tag,$(RELEASE)),-tag) \
		-api-tool $(CURDIR)/$(word 1,$^) -bom-tool $(CURDIR)/$(word 2,$^)

.PHONY: vulncheck
vulncheck: ## known vulnerabilities that the code can reach
	@GOVULNCHECK=bin/govulncheck-$(VULN_VERSION) ./.ci/vulncheck $(filter-out ./tools/%,$(MODULES))

.PHONY: ci
ci: lint race release-check ## what CI runs
	./.ci/run

# Tools, each at its pinned version.
bin/golangci-lint-$(LINT_VERSION): TOOL = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
bin/govulncheck-$(VULN_VERSION): TOOL = golang.org/x/vuln/cmd/govulncheck@$(VULN_VERSION)
bin/gremlins-$(GREMLINS_VERSION): TOOL = github.com/go-gremlins/gremlins/cmd/gremlins@$(GREMLINS_VERSION)
bin/cyclonedx-gomod-$(GOMOD_BOM_VERSION): TOOL = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(GOMOD_BOM_VERSION)
bin/apidiff-$(APIDIFF_VERSION): TOOL = golang.org/x/exp/cmd/apidiff@$(APIDIFF_VERSION)
bin/%:
	@mkdir -p bin
	GOBIN=$(CURDIR)/bin $(GO) install $(TOOL)
	mv bin/$(notdir $(firstword $(subst @, ,$(TOOL)))) $@
