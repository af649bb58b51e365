#!/usr/bin/env bash
# CrowdSec's own firewall bouncer (Debian: crowdsec-firewall-bouncer) pulls from our server and blocks by nftables, all of
# it in network namespaces that end with this script. To be run as root. BLOCK is the command, as in "weir block"; BOUNCER
# the bouncer.
set -euo pipefail
if [ "${1-}" != inside ]; then
  exec unshare --net "$0" inside
fi
cd "$(dirname "$0")"
read -ra block <<<"${BLOCK:-weir block}"
bouncer=${BOUNCER:-crowdsec-firewall-bouncer}

work=$(mktemp -d)
started=()
trap 'status=$?; [ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null || true; rm -rf "$work"; exit $status' EXIT

fail() {
  echo "FAILED: $*" >&2
  cat "$work"/*.log >&2
  nft list ruleset >&2
  exit 1
}

# The clients live in a namespace of their own; the first of them floods.
unshare --net sleep infinity &
clients=$!
started+=("$clients")
for _ in $(seq 600); do
  [ "$(readlink /proc/$clients/ns/net)" != "$(readlink /proc/self/ns/net)" ] && break || sleep 0.1
done
ip link set lo up
ip link add web type veth peer name client netns "$clients"
for address in 10.99.0.1/24 fd99::1/64; do ip address add "$address" dev web nodad 2>/dev/null || ip address add "$address" dev web; done
ip link set web up
in_clients() { nsenter --net="/proc/$clients/ns/net" "$@"; }
for address in 10.99.0.2/24 10.99.0.3/24; do in_clients ip address add "$address" dev client; done
for address in fd99::2/64 fd99::3/64; do in_clients ip address add "$address" dev client nodad; done
in_clients ip link set client up

mkdir "$work/web" "$work/state" "$work/run"
echo hello >"$work/web/index.html"
for address in 10.99.0.1 fd99::1; do
  (cd "$work/web" && exec python3 -m http.server --bind "$address" 8000) >"$work/web-$address.log" 2>&1 &
  started+=($!)
done

# get FROM: whether that client gets the page.
get() {
  case $1 in *:*) url="http://[fd99::1]:8000/" ;; *) url=http://10.99.0.1:8000/ ;; esac
  in_clients curl --silent --fail --globoff --max-time 2 --interface "$1" --output /dev/null "$url"
}
# within SECONDS COMMAND...: until it is true.
within() {
  for _ in $(seq $((10 * $1))); do
    if "${@:2}"; then return; fi
    sleep 0.1
  done
  return 1
}
refused() { ! get "$1"; }
for address in 10.99.0.2 10.99.0.3 fd99::2 fd99::3; do within 60 get "$address" || fail "$address gets nothing from the start"; done

# blocked SECONDS ADDRESS...: the list, replaced as a whole.
blocked() {
  python3 - "$work/state/blocklist.json" "$@" <<'PYTHON'
import json, os, sys, time
path, seconds, *addresses = sys.argv[1:]
now = int(time.time())
until = now + int(seconds)
entry = lambda address: {"address": address, "since": now, "until": until, "reason": "a flood", "evidence": None}
with open(path + "~", "w") as file:
    json.dump({"format": 1, "entries": [entry(address) for address in addresses]}, file)
os.rename(path + "~", path)
PYTHON
}
blocked 600 10.99.0.2 fd99::2
key=$(openssl rand -hex 16)
echo "firewall:$key" >"$work/keys"
"${block[@]}" serve --state "$work/state" --keys "$work/keys" --listen 127.0.0.1:0 --port-file "$work/port" \
  >"$work/serve.log" 2>&1 &
server=$!
started+=("$server")
within 60 test -s "$work/port" || fail "the server does not start"

cat >"$work/bouncer.yaml" <<YAML
mode: nftables
pid_dir: $work/run/
update_frequency: 1s
daemonize: false
log_mode: stdout
log_level: info
api_url: http://127.0.0.1:$(cat "$work/port")/
api_key: $key
disable_ipv6: false
deny_action: DROP
deny_log: false
supported_decisions_types: [ban]
blacklists_ipv4: crowdsec-blacklists
blacklists_ipv6: crowdsec6-blacklists
nftables:
  ipv4: {enabled: true, set-only: false, table: crowdsec, chain: crowdsec-chain}
  ipv6: {enabled: true, set-only: false, table: crowdsec6, chain: crowdsec6-chain}
prometheus: {enabled: false}
YAML
"$bouncer" -c "$work/bouncer.yaml" >"$work/bouncer.log" 2>&1 &
started+=($!)

for address in 10.99.0.2 fd99::2; do within 20 refused "$address" || fail "$address is not kept out"; done
for address in 10.99.0.3 fd99::3; do within 10 get "$address" || fail "$address is kept out"; done

blocked 600 fd99::3
within 20 refused fd99::3 || fail "fd99::3 is not kept out"
for address in 10.99.0.2 fd99::2; do within 20 get "$address" || fail "$address is not let in again"; done

# A block that is renewed outlasts the timer that was set first, which nftables does not set anew.
blocked 15 10.99.0.3
within 12 refused 10.99.0.3 || fail "10.99.0.3 is not kept out"
blocked 600 10.99.0.3
sleep 18
for _ in $(seq 10); do refused 10.99.0.3 || fail "a renewed block ended with the first timer"; done
within 10 get 10.99.0.2 || fail "10.99.0.2 is kept out"

# The server ends well when asked to, and with the key of nobody there is nothing to be had.
code=$(curl --silent --output /dev/null --write-out '%{http_code}' --header "X-Api-Key: ${key%?}x" \
  "http://127.0.0.1:$(cat "$work/port")/v1/decisions")
[ "$code" = 403 ] || fail "a wrong key gets $code"
kill -TERM "$server"
status=0
wait "$server" || status=$?
[ "$status" = 0 ] || [ "$status" = 130 ] || fail "the server ends with $status"

echo "crowdsec-firewall-bouncer blocks whom the server names, releases whom it no longer names, and nobody else"
