#!/usr/bin/env bash
# Runs tests/cluster/fetch.rs against a real S3 server on loopback: s3s-fs, from $S3S_FS or the path. $WEIR_TEST_RUN is a
# directory that `weir run` has made. Arguments go to cargo test.
set -euo pipefail
cd "$(dirname "$0")/../../.."
: "${WEIR_TEST_RUN:?a directory that weir run has made}"
WEIR_TEST_RUN=$(realpath "$WEIR_TEST_RUN")
s3s=${S3S_FS:-$(command -v s3s-fs)} || { echo "s3s-fs is neither in S3S_FS nor in the path" >&2; exit 1; }

work=$(mktemp -d)
server=
trap 'status=$?; [ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"; exit $status' EXIT
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p "$work/data/weir-test"
"$s3s" --host 127.0.0.1 --port "$port" --access-key weir-test --secret-key weir-test-secret "$work/data" \
  >"$work/server.log" 2>&1 &
server=$!
for tries in $(seq 600 -1 0); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  [ "$tries" != 0 ] || { cat "$work/server.log"; exit 1; }
  sleep 0.1
done

# A name and no address: the static binary has to resolve it.
export WEIR_TEST_RUN WEIR_TEST_S3=http://localhost:$port WEIR_TEST_S3_ROOT=$work/data
# The whole workspace, so that nothing is compiled again with other features.
cargo test --workspace --release --test cluster fetch:: "$@"
