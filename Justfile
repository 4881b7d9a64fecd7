# Shortcuts for the commands of the README; `just` alone lists them.

[private]
default:
    @just --list

# Everything that has to hold before a change is proposed
verify:
    cargo xtask verify

# Mend format and lints where a tool can
fix:
    cargo clippy --workspace --all-targets --locked --fix --allow-dirty --allow-staged
    cargo fmt --all

# Fetch what the tests need and run them; arguments go to `cargo test`
[positional-arguments]
test *ARGS:
    cargo xtask test "$@"

# The main job, on a simulated GitHub
[positional-arguments]
demo *ARGS:
    cargo run --release -- demo "$@"

# Time from webhook to dispatch, fan-out, fold, on both logs
[positional-arguments]
bench *ARGS:
    cargo bench --package stackwave-e2e --bench speed -- "$@"

# Lists, replay, starts and memory with a million runs
[positional-arguments]
bench-scale *ARGS:
    cargo bench --package stackwave-e2e --bench scale -- "$@"

# Waves, edges and skipped stacks of an upload or of `atmos describe affected`'s output
[positional-arguments]
plan FILE *ARGS:
    cargo run --release -- plan "$@"
