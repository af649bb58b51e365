#!/usr/bin/env bash
# The predictor and real clients: KServe's SDK, curl as README.md has it, Schemathesis, and requests that are none.
#
#   SERVER="weir serve" RUN=weir-run PYTHON=venv/bin/python run.sh [readme|kserve_sdk|malformed|schemathesis]...
#
# SERVER is the command of the predictor; RUN a run of the sample, which README.md was written for, and any other run
# for what is not `readme`. PYTHON has kserve and schemathesis; curl is needed, too.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
read -ra server <<<"${SERVER:?names the command of the predictor}"
bundle=${RUN:?names the directory of a run}/package/bundle
python=${PYTHON:-python3}
steps=("$@")
[ ${#steps[@]} != 0 ] || steps=(readme kserve_sdk malformed schemathesis)

work=$(mktemp -d)
predictor=
trap 'status=$?; [ -z "$predictor" ] || kill "$predictor" 2>/dev/null || true; wait; rm -rf "$work"; exit $status' EXIT

# Short times, so that slow requests can be tried.
"${server[@]}" --bundle "$bundle" --port 0 --port-file "$work/port" --request-timeout 5 --quiet 2>"$work/log" &
predictor=$!
for _ in $(seq 1200); do
  [ -s "$work/port" ] && break
  kill -0 "$predictor" || { cat "$work/log"; exit 1; }
  sleep 0.05
done
[ -s "$work/port" ] || { echo "error: the predictor does not start" >&2; exit 1; }
url=http://127.0.0.1:$(cat "$work/port")
curl --silent --fail --output /dev/null --retry 60 --retry-delay 1 "$url/v2/health/ready"

cd "$work"
for step in "${steps[@]}"; do
  case $step in
    schemathesis)
      entry=$(curl -s -X POST "$url/v2/repository/index")
      MODEL=$("$python" -c 'import json, sys; print(json.loads(sys.argv[1])[0]["name"])' "$entry")
      VERSION=$("$python" -c 'import json, sys; print(json.loads(sys.argv[1])[0]["version"])' "$entry")
      export MODEL VERSION
      "$(dirname "$python")/schemathesis" --config-file "$here/schemathesis.toml" run "$url/openapi.json" \
        --url "$url" --checks all --seed 42 --max-examples "${EXAMPLES:-50}" --request-timeout 10 --warnings off ;;
    *) "$python" "$here/$step.py" "$url" "$bundle" ;;
  esac
done
kill "$predictor"
wait "$predictor"
predictor=
