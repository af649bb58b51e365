#!/usr/bin/env bash
# The pipeline in containers leaves what it leaves in a process: every file of every artifact is the same, those of
# measurements and the report apart, which show times. Needs docker or podman that answer (see pipeline/images/with-docker)
# and the images in it. Environment:
#   WEIR   the command weir
#   RUN    a run of it on the sample
#   TOOL   docker or podman [default: what weir finds]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() {
  "$WEIR" run --engine containers ${TOOL:+--container-tool "$TOOL"} --quiet "$@"
}

run --out "$work/run"
diff -r --exclude run-info.json --exclude report.html "$RUN" "$work/run"
echo "the artifacts of $(find "$work/run" -name manifest.json | wc -l) containers are those of the process"

# A second run starts no stage again, and a stage that fails is told with its own exit code.
before=$(stat --format %Y.%Z "$work/run/package/manifest.json")
run --out "$work/run"
test "$before" = "$(stat --format %Y.%Z "$work/run/package/manifest.json")"
printf 'no,flows\n1,2\n' >"$work/none.csv"
status=0
run --out "$work/failed" --data "$work/none.csv" 2>"$work/stderr" || status=$?
grep -q "ended with exit code 3" "$work/stderr" || { cat "$work/stderr"; exit 1; }
test $status = 3
status=0
run --out "$work/failed" --tag none 2>"$work/stderr" || status=$?
grep -q "pipeline/images/build" "$work/stderr" || { cat "$work/stderr"; exit 1; }
test $status = 2
echo "failures are told"
