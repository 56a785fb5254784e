# Every target is a line that also works by hand.
GO      ?= go
BIN     := bin/lode
LDFLAGS := -s -w -X github.com/lodenet/lode/app.Version=$(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# Our own packages; the SDK's are not ours to check.
OWN     = $$($(GO) list ./... | grep -v /third_party/)

.PHONY: help build up test test-long lint proto tools engine engine-cuda bench clean

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 12

build: ## bin/lode
	@./scripts/say-cold-build.sh
	$(GO) build -ldflags "$(LDFLAGS)" -o $(BIN) ./cmd/lode

up: tools build ## the whole network, in the foreground
	$(BIN) up $(ARGS)

test: tools ## every test, under 20 minutes on 2 cores with warm caches
	@./scripts/say-cold-build.sh
	$(GO) test -timeout 15m $$($(GO) list ./... | grep -v /lode/localnet)
	$(GO) test -timeout 10m ./localnet/... # alone: it is held to the clock

# One suite a line: random cases, a million random operations, thousands of epochs of
# comings and goings, four real validators under faults (docs/faults.md), an upgrade by
# cosmovisor (docs/upgrade.md), a thousand streams of answers while miners die, and fuzzing, which compiles all dependencies once more.
test-long: tools ## slow and heavy suites, some hours
	RAPID_CHECKS=2000 $(GO) test -timeout 60m ./fixed ./yuma ./lab ./x/...
	LODE_LONG=1 $(GO) test -count=1 -v -timeout 6h ./app/sim -run TestAMillionOperations
	LODE_LONG=1 $(GO) test -count=1 -v -timeout 90m ./localnet -run Soak
	LODE_LONG=1 $(GO) test -count=1 -v -timeout 90m ./test/cluster
	LODE_LONG=1 $(GO) test -count=1 -v -timeout 40m ./test/upgrade
	LODE_LONG=1 $(GO) test -count=1 -v -timeout 20m ./test/inference -run ManyStreams
	./scripts/fuzz.sh

lint: ## gofmt, vet, staticcheck on our own packages
	./scripts/lint.sh

proto: tools ## the Go of proto/
	./scripts/proto.sh

tools: ## installs Debian packages that are missing, and the engine's libraries where there are some
	@./scripts/tools.sh
	@[ "$$(uname -sm)" != "Linux x86_64" ] || ./scripts/engine.sh

engine: ## llama.cpp's libraries for the embedded engine (11 MB, once)
	@./scripts/engine.sh

engine-cuda: ## those that use NVIDIA's GPUs too (143 MB, once)
	@./scripts/engine.sh cuda

bench: tools ## the benchmarks of bench/README.md
	$(GO) test -run '^$$' -bench . -benchtime 3x ./bench/...

clean: ## what build and test leave
	rm -rf bin build test/console/keplr/node_modules test/cosmjs/node_modules test/x402/node_modules test/inference/node_modules pay/js/node_modules
