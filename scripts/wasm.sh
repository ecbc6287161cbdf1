# shellcheck shell=bash
# Which Rust compiles for the browser. Brings lib.sh with it.
#
# Two kinds are known: the toolchain that is first in PATH, when it has the wasm32 standard library, and Debian's
# /usr/bin/rustc, whose standard library we build ourselves once (scripts/setup-wasm-std).
# They compile into a folder of their own: two compilers in one target folder would rebuild each other's work.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export wasm_target=wasm32-unknown-unknown
debian_rustc=/usr/bin/rustc
debian_cargo=/usr/bin/cargo

# True when the Rust in PATH has the wasm32 standard library.
path_rust_has_wasm() {
  local libs
  libs=$(rustc --print target-libdir --target "$wasm_target" 2>/dev/null) || return 1
  compgen -G "$libs/libstd-*.rlib" >/dev/null
}

# Where the standard library for Debian's compiler belongs: a folder a compiler build, so an upgrade makes a new one.
debian_wasm_sysroot() {
  local id
  id=$("$debian_rustc" -vV | sha256sum | cut -c1-12)
  printf '%s\n' "$tools/wasm-std/$id"
}

debian_rust_has_wasm() {
  [[ -x $debian_rustc && -x $debian_cargo && -d $(debian_wasm_sysroot)/lib ]]
}

# cargo for the browser half: `wasm_cargo build -p izanagi-wasm-pages …`.
wasm_cargo() {
  local command=$1
  shift
  if path_rust_has_wasm; then
    CARGO_TARGET_DIR="$root/target/wasm" cargo "$command" --target "$wasm_target" "$@"
    return
  fi
  debian_rust_has_wasm || die "no Rust for WebAssembly yet: run 'scripts/setup build'"
  # cargo looks for its subcommands beside the first Rust in PATH, which is not this one: call Debian's clippy by name.
  local cargo=("$debian_cargo" "$command")
  if [[ $command == clippy ]]; then
    cargo=(/usr/bin/cargo-clippy clippy)
  fi
  CARGO="$debian_cargo" RUSTC="$debian_rustc" CARGO_TARGET_DIR="$root/target/wasm" \
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="--sysroot $(debian_wasm_sysroot)" \
    "${cargo[@]}" --target "$wasm_target" "$@"
}

# The wasm-bindgen tools of exactly the version that Cargo.lock names: page and tool must agree on their protocol.
wasm_bindgen_bin() {
  printf '%s\n' "$tools/wasm-bindgen-$(locked_version wasm-bindgen)/bin"
}

# shrink_wasm IN OUT: smaller and no slower. It may use what every browser has had since 2022; not --all-features, which
# also writes what no browser reads yet.
shrink_wasm() {
  node_modules/.bin/wasm-opt -Oz --zero-filled-memory --generate-global-effects -Oz --reorder-functions-by-name --enable-bulk-memory --enable-multivalue --enable-mutable-globals \
    --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext "$1" -o "$2"
}
