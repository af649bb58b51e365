#!/usr/bin/env bash
# The same model in every runtime: labels and probabilities of Weir, its predictor (v1, v2, flows), onnxruntime,
# mlflow.pyfunc and tract on the rows of run directories, given as arguments. PYTHON names an interpreter that has mlflow
# 3.17, onnx, onnxruntime and pyarrow; SERVER the command of the predictor, as in "weir serve"; CASE the built example,
# where it is not to be built here; TRACT_TARGET where the program with tract is built.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export SERVER=${SERVER:?names the command of the predictor}
[ $# -gt 0 ] || { echo "usage: run.sh RUN.." >&2; exit 2; }
runs=()
for run in "$@"; do runs+=("$(cd "$run" && pwd)"); done
cd "$here/../../../.."
target=$(realpath -m "${TRACT_TARGET:-target/tract}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${CASE:-}" ]; then
  cargo build --release --quiet -p weir-packaging --example runtimes_case
  CASE=${CARGO_TARGET_DIR:-target}/$(rustc --print host-tuple)/release/examples/runtimes_case
fi
CARGO_TARGET_DIR=$target cargo build --release --quiet --locked --manifest-path "$here/tract/Cargo.toml"
tract=$target/$(rustc --print host-tuple)/release/tract-runtime
# MLflow and its server leave their files where they are started.
python=$(command -v "${PYTHON:-python3}")
CASE=$(realpath "$CASE")
# `mlflow models serve` looks for the server beside its interpreter.
export CASE TRACT=$tract HOME=$work MLFLOW_DISABLE_TELEMETRY=true PATH=$(dirname "$python"):$PATH
cd "$work"
"$python" -B "$here/compare.py" "$work" "${runs[@]}"
