#!/usr/bin/env bash
# The rendered pipelines before Kubeflow's own judge, and a run of the first through kfp.local in containers.
#   PYTHON  an interpreter with kfp 2.17 and docker [python3]
#   IR      files of `weir pipeline render kfp`, separated by spaces
#   IMAGES  a directory of image archives (pipeline/images/build --archive) to load first; else the engine has the images
#   DOCKER  the program that loads them [docker]
#   RUN     a run of the same build on the sample (`weir run --out`), whose digests the run in containers has to have
# The run needs a docker engine (pipeline/images/with-docker starts one); without one it is left out, loudly.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${IR:?names no files to judge}"
python=${PYTHON:-python3}
read -ra files <<<"$IR"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work

"$python" "$here/judge.py" "${files[@]}"

if ! "$python" -c 'import docker; docker.from_env().ping()' 2>"$work/engine"; then
  echo "SKIPPED the run through kfp.local: no docker engine answers: $(tail -n 1 "$work/engine")" >&2
  exit 0
fi
if [ -n "${IMAGES:-}" ]; then
  for archive in "$IMAGES"/weir-*.tar; do "${DOCKER:-docker}" load --quiet --input "$archive"; done
fi
: "${RUN:?names no run to compare with}"
"$python" "$here/local_run.py" "${files[0]}" "$RUN" "$work/root" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
tail -n 1 "$work/log"
