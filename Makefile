# Thin names for the commands behind them.

.PHONY: demo test lint bench bench-throughput bench-detectors footprint check-aarch64 container install dist clean

demo: ## both sides on this machine, over loopback
	cargo build --release
	target/release/host demo --frames $(or $(FRAMES),600)

test: ## everything; installs what the tests need
	tests/setup.sh
	cargo build --workspace
	cargo test --workspace --no-fail-fast
	cargo test --workspace --doc

lint: ## formatting, clippy, documentation, dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
	scripts/deny.sh

bench: ## the parts on their own
	cargo bench -p plumbline-host

bench-throughput: ## the data channel beside aiortc and libdatachannel
	host/benches/peers/run.sh

bench-detectors: ## hough-rust beside OpenCV, EDCircles and radsym
	cargo bench -p plumbline-compare

footprint: ## size, memory, start-up and idle CPU of the release build
	cargo build --release
	scripts/footprint.sh

check-aarch64: ## hough-rust and plugin-api built and tested for aarch64, in emulation
	scripts/check-aarch64.sh

container: ## build and run both images, with or without a Docker engine
	scripts/container.sh

install: ## the host and its plugins below PREFIX (/usr/local)
	cargo build --release
	scripts/install.sh $(or $(PREFIX),/usr/local)

dist: ## an archive that runs from wherever it is unpacked
	cargo build --release
	scripts/dist.sh

clean:
	cargo clean
