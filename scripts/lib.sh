# shellcheck shell=bash
# Sourced first by every script here: stop at the first error, stand in the repository's root, speak with one voice.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
export tools="$root/target/tools"

# Says what is going on. On standard error, so that a script's output stays its own.
say() { printf '==> %s\n' "$*" >&2; }

# Says why nothing more can be done, and stops.
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

have() { command -v "$1" >/dev/null 2>&1; }

# The version of a package as Cargo.lock has it.
locked_version() {
  awk -v want="name = \"$1\"" '$0 == want { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock
}

# The first Chromium there is: CHROMIUM_PATH, then the system's. Prints nothing when there is none.
find_chromium() {
  if [[ -n ${CHROMIUM_PATH:-} ]]; then
    printf '%s\n' "$CHROMIUM_PATH"
    return
  fi
  local name
  for name in chromium chromium-browser google-chrome-stable google-chrome; do
    if have "$name"; then
      command -v "$name"
      return
    fi
  done
}
