#!/usr/bin/env bash
# try-it with stand-ins for the tools it calls: every command is reached, in order, with what it needs; a failing one ends
# the script with its own hint. What the real tools make of it only a real cluster shows.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/k8s" "$work/bin" "$work/pipeline/images" "$work/binaries"
cp -r "$here/../try-it" "$here/../base" "$work/k8s"

# Says what it was called with; fails where FAIL names a part of that.
cat >"$work/stub" <<'END'
#!/usr/bin/env bash
call="$(basename "$0") $*"
echo "${call//$'\n'/ }" >>"$CALLS"
case $call in
  *"${FAIL:-nothing}"*) exit 1 ;;
  "kind get clusters") cat "$STATE" 2>/dev/null ;;
  "kind create"*) echo weir >"$STATE" ;;
  *"get secret minio -o"* | *"get secret weir-s3 -o"*) printf c2VjcmV0 ;;
  *"get secret"* | *"get namespace"*) exit 1 ;;
  *port-forward*) echo $$ >>"$FORWARDS" && echo "Forwarding from 127.0.0.1" && exec sleep 60 ;;
  *"apply -f -"* | *"-n minio apply"*) cat >>"$APPLIED" ;;
  "build --archive"*) touch "$2/weir-features.tar" "$2/weir-serving.tar" ;;
esac
END
chmod +x "$work/stub"
for tool in docker kind kubectl helm curl; do ln -s ../stub "$work/bin/$tool"; done
ln -s ../../stub "$work/pipeline/images/build"
ln -s ../stub "$work/binaries/weir"

try() {
  rm -f "$work"/{calls,state,applied}
  CALLS=$work/calls STATE=$work/state APPLIED=$work/applied FORWARDS=$work/forwards PATH="$work/bin:$PATH" FAIL=${FAIL:-nothing} \
    timeout 60 "$work/k8s/try-it" --on kind --binaries "$work/binaries" "$@" >"$work/out" 2>&1
}

# The calls that matter, in this order.
in_order() {
  local wanted from=1
  for wanted in "$@"; do
    line=$(tail -n +"$from" "$work/calls" | grep -nF -m1 -- "$wanted" | cut -d: -f1) || {
      echo "error: no call '$wanted' after line $from of"; cat "$work/calls"; return 1; }
    from=$((from + line))
  done
}

try || { cat "$work/out"; exit 1; }
in_order "kind create cluster --name weir" "argo-workflows" "rollout status deployment/workflow-controller" \
  "cert-manager.yaml" "charts/kserve-crd" "charts/kserve-resources" "patch clusterstoragecontainer default" "build --archive" "kind load image-archive" "overlays/local" \
  "weir submit --context kind-weir --artifacts volume" "weir deploy --context kind-weir" \
  "port-forward deployment/weir-predictor" "/v1/models/weir:predict"
! grep -q minio "$work/calls" || { echo "error: a MinIO that nobody asked for"; exit 1; }

try --artifacts s3 || { cat "$work/out"; exit 1; }
in_order "kserve-resources" "create secret generic minio" "-n minio apply" "create secret generic weir-s3" "overlays/s3" \
  "port-forward service/minio" "weir submit --context kind-weir --artifacts s3" "weir deploy" "predict"
grep -q 'kind: Deployment' "$work/applied"

try && CALLS=$work/calls STATE=$work/state PATH="$work/bin:$PATH" "$work/k8s/try-it" down --on kind
in_order "kind delete cluster --name weir"

for case in "kserve-crd|KServe's CRDs were not installed" "load image|was not loaded" "submit|the run failed" \
  "weir deploy|not deployed"; do
  if FAIL=${case%%|*} try; then echo "error: ${case%%|*} fails and try-it does not"; exit 1; fi
  if ! grep -qF "${case##*|}" "$work/out" || ! grep -q '^hint: ' "$work/out"; then cat "$work/out"; exit 1; fi
done
while read -r forward; do
  for _ in {1..50}; do grep -qs sleep "/proc/$forward/cmdline" || continue 2; sleep 0.1; done
  echo "error: a port-forward is left"
  exit 1
done <"$work/forwards"
echo "try-it calls what it should"
