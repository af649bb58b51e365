#!/usr/bin/env bash
# Pushes, pulls and signs with the command $WEIR against a real registry on loopback: docker-registry (Debian), plain,
# and with TLS and passwords. skopeo reads and copies what was pushed. $BUNDLE is a bundle, signed or not; the recorded
# one if not set. If $PACKAGE is a packaging artifact, its image layout is pushed as well.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
weir=${WEIR:?the command weir}
bundle=${BUNDLE:-$here/../../../weir-bundle/tests/bundle/format-2/bundle}
for tool in docker-registry skopeo htpasswd openssl python3; do
  command -v "$tool" >/dev/null || { echo "there is no $tool here: apt-get install docker-registry skopeo apache2-utils" >&2; exit 2; }
done

work=$(mktemp -d)
started=()
trap 'status=$?; [ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null || true; rm -rf "$work"; exit $status' EXIT
# Nobody's logins.
export HOME=$work DOCKER_CONFIG=$work/docker
mkdir "$DOCKER_CONFIG"

fail() {
  echo "FAILED: $*" >&2
  tail -n 20 "$work"/*.log >&2
  exit 1
}

# Expects a command to end with a code and to say something.
refused() {
  local code=$1 said=$2 status=0
  shift 2
  "$@" >"$work/out" 2>"$work/err" || status=$?
  [ "$status" = "$code" ] || fail "$* ended with $status instead of $code: $(cat "$work/err")"
  grep -qF -- "$said" "$work/err" || fail "$* does not say \"$said\": $(cat "$work/err")"
}

same() {
  diff -r "$1" "$2" || fail "$1 and $2 are not the same"
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Starts a registry with its own name and port, and more lines of configuration.
registry() {
  local name=$1 port=$2
  printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\n%s\n' \
    "$work/$name" "$3" >"$work/$name.yml"
  docker-registry serve "$work/$name.yml" >"$work/$name.log" 2>&1 &
  started+=($!)
  for _ in $(seq 600); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
    sleep 0.1
  done
  fail "the registry $name does not start"
}

echo "a plain registry"
port=$(free_port)
registry plain "$port" "http: {addr: '127.0.0.1:$port'}"
at=127.0.0.1:$port/team/detector
pushed=$("$weir" push "$at:v1" --bundle "$bundle" --plain-http)
digest=${pushed#"$at@"}
[ "$("$weir" push "$at:v2" --bundle "$bundle" --plain-http)" = "$pushed" ] || fail "the image is not the same twice"
"$weir" push "$at:v2" --bundle "$bundle" --plain-http --json >"$work/again"
grep -q '"uploaded_blobs": 0' "$work/again" || fail "blobs were sent twice"
"$weir" pull "$at:v1" --out "$work/by-tag" --plain-http
"$weir" pull "$pushed" --out "$work/by-digest" --plain-http
"$weir" pull "$pushed" --out "$work/by-digest" --plain-http
same "$bundle" "$work/by-tag"
same "$bundle" "$work/by-digest"
refused 3 MANIFEST_UNKNOWN "$weir" pull "$at:v9" --out "$work/v9" --plain-http
refused 2 "holds something else" "$weir" pull "$at:v1" --out "$DOCKER_CONFIG/.." --plain-http
[ ! -e "$work/v9" ] || fail "a refused pull left a directory"

echo "skopeo"
skopeo inspect --tls-verify=false "docker://$at:v1" >"$work/inspect"
grep -q "\"Digest\": \"$digest\"" "$work/inspect" || fail "skopeo sees another digest: $(cat "$work/inspect")"
skopeo copy --quiet --preserve-digests --src-tls-verify=false "docker://$at:v1" "oci:$work/layout"
[ "$("$weir" push "$at:v3" --layout "$work/layout" --plain-http)" = "$pushed" ] || fail "skopeo's copy is another image"
# Left alone it packs layers by gzip, which makes another image of the same bundle.
skopeo copy --quiet --dest-tls-verify=false "oci:$work/layout" "docker://$at:gzip"
"$weir" pull "$at:gzip" --out "$work/gzip" --plain-http
same "$bundle" "$work/gzip"
if [ -n "${PACKAGE:-}" ]; then
  skopeo inspect "oci:$PACKAGE/oci" >/dev/null
  "$weir" push "$at:package" --package "$PACKAGE" --plain-http
  "$weir" pull "$at:package" --out "$work/package" --plain-http
  same "$PACKAGE/bundle" "$work/package"
fi

echo "signatures"
for name in ours theirs; do
  openssl genpkey -algorithm ed25519 -out "$work/$name.pem"
  openssl pkey -in "$work/$name.pem" -pubout -out "$work/$name-public.pem"
done
cp -r "$bundle" "$work/signed"
"$weir" sign "$work/signed" --key "$work/ours.pem"
(cd "$work/signed" && sha256sum --quiet -c SHA256SUMS &&
  openssl pkeyutl -verify -pubin -inkey ../ours-public.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig >/dev/null)
signed=$("$weir" push "$at:signed" --bundle "$work/signed" --plain-http)
"$weir" pull "$signed" --out "$work/trusted" --trust "$work/theirs-public.pem" --trust "$work/ours-public.pem" --plain-http
same "$work/signed" "$work/trusted"
refused 3 "is not a signature of SHA256SUMS by key" \
  "$weir" pull "$signed" --out "$work/untrusted" --trust "$work/theirs-public.pem" --plain-http
refused 2 "it holds no PUBLIC KEY but: PRIVATE KEY" \
  "$weir" pull "$signed" --out "$work/untrusted" --trust "$work/ours.pem" --plain-http
[ ! -e "$work/untrusted" ] || fail "a bundle that is not trusted was left"

echo "damage"
blob=$(find "$work/plain" -path '*/blobs/*' -name data -size +3k | head -n 1)
printf 'x' | dd of="$blob" bs=1 seek=1000 conv=notrunc status=none
for tag in v1 gzip signed ${PACKAGE:+package}; do
  status=0
  "$weir" pull "$at:$tag" --out "$work/damaged-$tag" --plain-http >"$work/out" 2>"$work/err" || status=$?
  [ "$status" = 0 ] || { [ "$status" = 3 ] && [ ! -e "$work/damaged-$tag" ]; } || fail "$tag: $status $(cat "$work/err")"
  cat "$work/err" >>"$work/damage"
done
grep -q "it has digest sha256:" "$work/damage" || fail "nobody noticed a changed blob"

echo "TLS and passwords"
port=$(free_port)
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext 'subjectAltName = DNS:localhost' \
  -addext 'basicConstraints = CA:FALSE' -keyout "$work/tls.key" -out "$work/tls.pem" 2>/dev/null
htpasswd -Bbn me secret >"$work/htpasswd"
registry secure "$port" "http: {addr: '127.0.0.1:$port', tls: {certificate: $work/tls.pem, key: $work/tls.key}}
auth: {htpasswd: {realm: here, path: $work/htpasswd}}"
at=localhost:$port/team/detector
refused 3 "invalid peer certificate" "$weir" push "$at:v1" --bundle "$bundle"
refused 3 "say who you are with --username" "$weir" push "$at:v1" --bundle "$bundle" --ca-file "$work/tls.pem"
echo wrong >"$work/password"
refused 3 "401 Unauthorized" \
  "$weir" push "$at:v1" --bundle "$bundle" --ca-file "$work/tls.pem" --username me --password-file "$work/password"
[ "$(echo secret | "$weir" push "$at:v1" --bundle "$bundle" --ca-file "$work/tls.pem" --username me --password-stdin)" = \
  "$at@$digest" ] || fail "another registry, another image"
printf '{"auths": {"localhost:%s": {"auth": "%s"}}}' "$port" "$(printf me:secret | base64)" >"$DOCKER_CONFIG/config.json"
"$weir" pull "$at:v1" --out "$work/over-tls" --ca-file "$work/tls.pem"
same "$bundle" "$work/over-tls"
echo "all of it works"
