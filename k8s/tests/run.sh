#!/usr/bin/env bash
# Builds every overlay and holds it against the schemas of the systems it is for and against the promises of the README;
# has promtool test the alerts. WEIR_SHARED_SCHEMAS: directory of the schemas (see validate.py). PYTHON: an interpreter with
# PyYAML and jsonschema. WEIR: the command `weir`, BUNDLE: a bundle it can serve. KUBECTL, PROMTOOL, SHELLCHECK: those tools.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3} kubectl=${KUBECTL:-kubectl} shellcheck=${SHELLCHECK:-shellcheck}
promtool=${PROMTOOL:-promtool}
: "${WEIR_SHARED_SCHEMAS:?names no directory of schemas}" "${WEIR:?names no weir}" "${BUNDLE:?names no bundle}"
for tool in "$python" "$kubectl" "$promtool" "$shellcheck" curl; do
  command -v "$tool" >/dev/null || { echo "error: $tool is not installed" >&2; exit 1; }
done
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1 PROMTOOL=$promtool

overlays=()
for path in "$here"/../overlays/*/kustomization.yaml; do
  name=$(basename "$(dirname "$path")")
  "$kubectl" kustomize "$(dirname "$path")" >"$work/$name.yaml"
  overlays+=("$work/$name.yaml")
done
"$kubectl" kustomize "$here/../memo" >"$work/memo.yaml"
predictor=$here/../components/predictor/inference-service.yaml

"$python" "$here/validate.py" "${overlays[@]}" "$work/memo.yaml" "$predictor"
"$python" "$here/policies.py" "$here/../README.md" "${overlays[@]}"
cd "$here"
several=$work/local-full.yaml:$work/s3-full.yaml:$work/kubeflow.yaml:$work/memo.yaml:$predictor
MANIFESTS=$several "$python" -m unittest test_validate
MANIFESTS=$work/s3-full.yaml "$python" -m unittest test_policies

# What a predictor exports that has predicted and has refused a row.
"$WEIR" serve --quiet --bundle "$BUNDLE" --port 0 --port-file "$work/port" &
server=$!
for _ in {1..600}; do [ ! -s "$work/port" ] || break; sleep 0.1; done
[ -s "$work/port" ] || { echo "error: the predictor does not start" >&2; exit 1; }
url=http://127.0.0.1:$(cat "$work/port")
curl --silent --fail --output /dev/null --retry 60 --retry-delay 1 "$url/v2/health/ready"
name=$(curl -sS --fail "$url/v1/models" | "$python" -c 'import json, sys; print(json.load(sys.stdin)["models"][0])')
curl -sS -o "$work/refusal" -d '{"instances": [{"source_ip": "10.0.0.1", "destination_ip": "10.0.0.2", "transport": "tcp"}]}' \
  "$url/v1/models/$name:predict"
curl -sS --fail "$url/metrics" >"$work/metrics"
kill "$server" && wait "$server" || true
server=
"$python" "$here/monitoring.py" "$work/s3-full.yaml" "$here/rules-test.yaml" "$work/metrics"

"$shellcheck" "$here/../try-it" "$here"/*.sh
bash "$here/try_it.sh"
