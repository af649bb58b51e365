#!/usr/bin/env bash
# Runs tests/s3.rs against a real S3 server on loopback: s3s-fs, from $S3S_FS, the path or crates.io, behind
# one_at_a_time.py, which says why. Arguments go to cargo test.
set -euo pipefail
cd "$(dirname "$0")/../../.."

work=$(mktemp -d)
started=()
trap 'status=$?; [ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null || true; rm -rf "$work"; exit $status' EXIT

s3s=${S3S_FS:-$(command -v s3s-fs || true)}
if [ -z "$s3s" ]; then
  # From another folder, so that the workspace's configuration stays out of it.
  (cd / && cargo install s3s-fs --version 0.14.1 --locked --features binary --root "$work/tools" --target-dir "$work/build")
  s3s=$work/tools/bin/s3s-fs
fi

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_for() {
  for _ in $(seq 600); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
    sleep 0.1
  done
  cat "$work"/*.log
  return 1
}

mkdir -p "$work/data/weir-test"
server=$(free_port)
"$s3s" --host 127.0.0.1 --port "$server" --access-key weir-test --secret-key weir-test-secret "$work/data" \
  >"$work/server.log" 2>&1 &
started+=($!)
wait_for "$server"
port=$(free_port)
python3 crates/weir-store/tests/one_at_a_time.py "$port" "$server" >"$work/proxy.log" 2>&1 &
started+=($!)
wait_for "$port"

# A name and no address: the static binary has to resolve it.
export WEIR_TEST_S3=http://localhost:$port WEIR_TEST_S3_ROOT=$work/data
# Of the whole workspace, so that nothing is compiled again with other features.
cargo test --release --workspace --test s3 "$@"
