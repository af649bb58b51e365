#!/bin/sh
# Records scikit-learn's numbers on the splits of a run, for compare_sklearn.py:
#
#   pip install scikit-learn pandas pyarrow
#   pipeline/bench/record_sklearn.sh RUN_DIR NAME [options of sklearn_reference.py]
#
# writes pipeline/bench/results/<date>-sklearn-<NAME>.jsonl (UTC) and prints its path. Give RUN_DIR relative to the
# repository: the command is part of the record. PYTHON names the interpreter (default python3).
set -eu

if [ $# -lt 2 ]; then
    echo "usage: $0 RUN_DIR NAME [options of sklearn_reference.py]" >&2
    exit 2
fi
run=$1
name=$2
shift 2

bench=$(dirname "$0")
record="$bench/results/$(date -u +%Y-%m-%d)-sklearn-$name.jsonl"
mkdir -p "$bench/results"

# A run that fails halfway leaves no record.
trap 'rm -f "$record.part"' EXIT
trap 'exit 130' INT TERM
"${PYTHON:-python3}" "$bench/sklearn_reference.py" --splits "$run/features" "$@" > "$record.part"
mv "$record.part" "$record"
echo "$record"
