#!/usr/bin/env bash
# Weir's results against those of Great Expectations on the same tables. PYTHON names an interpreter that has
# great_expectations 1.24, pandas and pyarrow; CASE the built example, where it is not to be built here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cases=$(mktemp -d)
trap 'rm -rf "$cases"' EXIT
cd "$here/../.."
run() {
  if [ -n "${CASE:-}" ]; then "$CASE" "$@"; else
    cargo run --release --quiet -p weir-expectations --example great_expectations_case -- "$@"
  fi
}
run write "$cases"
"${PYTHON:-python3}" "$here/compare.py" "$cases"
run reread "$cases"
