#!/usr/bin/env bash
# A web server with ordinary clients and floods, each in a network namespace of its own: who is blocked cannot connect, the
# others can; removing, expiry, every failure on the way, and the mail about it. Run as root, with Debian's apache2,
# apache2-utils, curl, iproute2, ipset, iptables and nftables. BLOCK is the command: "path/to/weir block" or
# "path/to/weir-blocklist". PYTHON is an interpreter with aiosmtpd.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
read -ra block <<<"${BLOCK:?names the command, as in \"target/release/weir block\"}"
block[0]=$(realpath "${block[0]}")
export PATH=$PATH:/usr/sbin:/sbin

work=$(mktemp -d)
chmod 755 "$work"
prefix=weir$$
server=$prefix-server
clients="anna ben flood flood6"
cleanup() {
  status=$?
  [ ! -s "$work/apache.pid" ] || kill "$(cat "$work/apache.pid")" 2>/dev/null || true
  # Not only our jobs: a shell in the background keeps signals from what it runs.
  { jobs -p; ip netns pids "$server" 2>/dev/null; } | xargs -r kill 2>/dev/null || true
  wait 2>/dev/null || true
  ! mountpoint -q "$work/read-only" || umount "$work/read-only"
  for name in server $clients; do ip netns del "$prefix-$name" 2>/dev/null || true; done
  rm -rf "$work"
  exit $status
}
trap cleanup EXIT

fail() { echo "error: $*" >&2; exit 1; }
say() { echo "  $*"; }
in_server() { ip netns exec "$server" "$@"; }
by() { local name=$1; shift; ip netns exec "$prefix-$name" "$@"; }

network() {
  ip netns add "$server"
  in_server ip link set lo up
  in_server ip link add br0 type bridge
  in_server ip link set br0 up
  in_server ip address add 10.77.0.1/24 dev br0
  in_server ip -6 address add fd77::1/64 dev br0 nodad
  local name number=11
  for name in $clients; do
    ip netns add "$prefix-$name"
    by "$name" ip link add eth0 type veth peer name "$name" netns "$server"
    in_server ip link set "$name" master br0 up
    by "$name" ip link set lo up
    by "$name" ip link set eth0 up
    by "$name" ip address add 10.77.0.$number/24 dev eth0
    by "$name" ip -6 address add fd77::$number/64 dev eth0 nodad
    number=$((number + 1))
  done
}

web_server() {
  mkdir -p "$work/www" "$work/logs"
  local i
  for i in index 1 2 3 4 5 6 7 8; do echo "<p>page $i</p>" >"$work/www/$i.html"; done
  cat >"$work/apache.conf" <<CONF
ServerRoot /usr/lib/apache2
ServerName localhost
PidFile $work/apache.pid
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule dir_module modules/mod_dir.so
LoadModule mime_module modules/mod_mime.so
TypesConfig /etc/mime.types
User www-data
Group www-data
Listen 0.0.0.0:80
Listen [::]:80
DocumentRoot $work/www
ErrorLog $work/logs/error.log
LogFormat "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" combined
CustomLog $work/logs/access.log combined
CONF
  # Debian's own types are in the package media-types, which apache2 does not need.
  [ -e /etc/mime.types ] || sed -i '/^TypesConfig/d; /mime_module/d' "$work/apache.conf"
  in_server apache2 -f "$work/apache.conf" -k start
  local tries
  for tries in $(seq 600); do ! reaches anna || return 0; sleep 0.1; done
  cat "$work/logs/error.log" >&2
  fail "apache2 does not answer"
}

reaches() { by "$1" curl --silent --output /dev/null --max-time 2 --noproxy '*' "http://${2:-10.77.0.1}/"; }
# Whether one of five tries succeeds: a busy machine may take longer than one. Who is blocked has none that does.
can_reach() { for _ in 1 2 3 4 5; do ! reaches "$@" || return 0; done; return 1; }
all_reach() { local name; for name in "$@"; do can_reach "$name" || fail "$name cannot connect"; done; }
none_reaches() {
  local name
  for name in "$@"; do
    ! reaches "$name" || fail "$name can still connect"
  done
}

browse() {
  local page
  for page in index 1 2 3 4 5 6 7 8 1 2 3; do
    by "$1" curl --silent --output /dev/null --max-time 5 --noproxy '*' "http://$2/$page.html"
    sleep 0.3
  done
}

traffic() {
  browse anna 10.77.0.1 & local anna=$!
  browse ben '[fd77::1]' & local ben=$!
  by flood ab -q -n 3000 -c 10 http://10.77.0.1/index.html >"$work/ab.txt"
  by flood6 ab -q -n 2000 -c 10 'http://[fd77::1]/index.html' >"$work/ab6.txt"
  wait $anna $ben
}

detect() { in_server "${block[@]}" detect --quiet --force --out "$work/detection" --log "$@"; }
enforce() { in_server "${block[@]}" enforce --detection "$work/detection" --state "$work/state" "$@"; }
list() { in_server "${block[@]}" list --state "$work/state" "$@"; }
remove() { in_server "${block[@]}" remove --state "$work/state" "$@"; }
# Without what counts down or up.
rules() {
  in_server nft list ruleset | sed -E 's/ (expires [0-9a-z]+|packets [0-9]+ bytes [0-9]+)//g'
  in_server ipset save | sed -E 's/ (timeout [1-9][0-9]*|initval [^ ]*)//g'
}

# Blocks the two floods by enforcer $1, and lets them in again.
blocking() {
  local enforcer=$1
  rm -rf "$work/state"
  local before
  before=$(rules)
  enforce --enforcer "$enforcer" >"$work/preview.txt"
  grep -q '^block 10.77.0.13: ' "$work/preview.txt" || fail "the preview does not name the flood: $(cat "$work/preview.txt")"
  [ "$before" = "$(rules)" ] && [ ! -e "$work/state" ] || fail "a preview by $enforcer changed something"
  all_reach $clients
  say "$enforcer: a preview changes nothing"

  enforce --enforcer "$enforcer" --apply >"$work/enforced.txt"
  none_reaches flood
  ! reaches flood6 '[fd77::1]' || fail "flood6 can still connect over IPv6"
  all_reach anna ben
  can_reach anna '[fd77::1]' || fail "anna cannot connect over IPv6"
  list >"$work/list.txt"
  grep -qE "^10\.77\.0\.13 .* $enforcer " "$work/list.txt" || fail "list does not show the block: $(cat "$work/list.txt")"
  grep -qE "^fd77::14 .* $enforcer " "$work/list.txt" || fail "list does not show the block: $(cat "$work/list.txt")"
  [ "$(sort "$work/state/blocked_ips.txt" | xargs)" = "10.77.0.13 fd77::14" ] || fail "blocked_ips.txt: $(cat "$work/state/blocked_ips.txt")"
  say "$enforcer: the floods cannot connect, the others can"

  rm -rf "$work/state"
  enforce --enforcer "$enforcer" --apply >"$work/again.txt"
  none_reaches flood
  say "$enforcer: a lost state directory opens nothing"

  enforce --enforcer "$enforcer" --apply --allow 10.77.0.0/24 >"$work/allowed.txt"
  all_reach flood
  ! grep -q '10\.77\.0\.' "$work/allowed.txt" "$work/state/blocklist.json" "$work/state/blocked_ips.txt" || fail "an allowed address is named"
  say "$enforcer: the allow list wins over a block"

  enforce --enforcer "$enforcer" --apply --quiet
  remove 10.77.0.13 >"$work/removed.txt"
  grep -qx 'let in 10.77.0.13' "$work/removed.txt" || fail "remove: $(cat "$work/removed.txt")"
  all_reach flood anna ben
  ! reaches flood6 '[fd77::1]' || fail "removing one let in the other"
  enforce --enforcer "$enforcer" --apply >"$work/later.txt"
  all_reach flood
  grep -q '^leave 10.77.0.13' "$work/later.txt" || fail "the same log blocked again whom a person let in: $(cat "$work/later.txt")"
  remove --all --quiet
  can_reach flood6 '[fd77::1]' || fail "flood6 cannot connect after it was removed"
  ! rules | grep -q 'inet weir\|create weir\|match-set weir' || fail "something is left of $enforcer: $(rules)"
  say "$enforcer: removing lets in at once, for good, and leaves nothing"

  rm -rf "$work/state"
  enforce --enforcer "$enforcer" --apply --quiet --set blocklist.block_seconds=10 2>"$work/old.txt"
  none_reaches flood
  local latest=$((SECONDS + 30))
  until reaches flood; do [ $SECONDS -lt $latest ] || fail "flood is kept out longer than its block lasts"; done
  remove --all --quiet
  say "$enforcer: a block ends by itself"
}

# Runs the rest, which has to end with exit code $1, and to change neither the rules nor the state.
refuses() {
  local expected=$1 status=0
  shift
  rules >"$work/rules.before"
  cp -r "$work/state" "$work/state.before"
  "$@" >"$work/refused.txt" 2>&1 || status=$?
  [ $status = "$expected" ] || fail "ended with $status in place of $expected: $*: $(cat "$work/refused.txt")"
  rules | diff "$work/rules.before" - || fail "rules were changed by $*"
  diff -r --exclude audit.jsonl --exclude .lock "$work/state.before" "$work/state" || fail "the state was changed by $*"
  rm -rf "$work/state.before"
  say "refused: $(grep -m1 '^error' "$work/refused.txt")"
}

# A program that lists, and fails to change anything.
broken() {
  mkdir -p "$work/broken-$1"
  printf '#!/bin/sh\ncase "$*" in *list*|*save*|*-C*|--version) exec %s "$@";; esac\necho "%s is broken" >&2\nexit 1\n' \
    "$(command -v "$1")" "$1" >"$work/broken-$1/$1"
  chmod +x "$work/broken-$1/$1"
}

failures() {
  rm -rf "$work/state"
  enforce --enforcer nftables --apply --allow 10.77.0.13 --quiet
  flood6_is_out
  broken nft
  broken ipset
  broken iptables
  PATH=$work/broken-nft:$PATH refuses 1 enforce --enforcer nftables --apply
  grep -q rolled-back "$work/state/audit.jsonl" || fail "the audit log does not tell of the failure"
  PATH=$work/broken-ipset:$PATH refuses 1 enforce --enforcer ipset --apply
  PATH=$work/broken-iptables:$PATH refuses 1 enforce --enforcer ipset --apply

  mkdir "$work/read-only"
  mount -t tmpfs -o ro none "$work/read-only"
  refuses 2 in_server "${block[@]}" enforce --detection "$work/detection" --state "$work/read-only/state" --apply
  cp -r "$work/detection" "$work/whole"
  sed -i 's/10\.77\.0\.13/10.77.0.11/' "$work/detection/detection.json"
  refuses 3 enforce --apply
  rm -rf "$work/detection"
  refuses 3 enforce --apply
  mv "$work/whole" "$work/detection"
  refuses 3 detect "$work/no-such.log"
  # Without root a preview looks at what it may; applying is refused.
  local user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  cp "${block[0]}" "$work/program" && chmod 755 "$work/program" && chmod -R a+rX "$work/detection"
  mkdir -m 777 "$work/nobody"
  refuses 2 in_server "${user[@]}" "$work/program" "${block[@]:1}" enforce --detection "$work/detection" --state "$work/nobody" --apply
  flood6_is_out
  all_reach anna ben flood
  remove --all --quiet
}
flood6_is_out() { ! reaches flood6 '[fd77::1]' || fail "flood6 can connect"; }

network
web_server
traffic
detect "$work/logs/access.log"
[ "$(sort "$work/detection/blocked_ips.txt" | xargs)" = "10.77.0.13 fd77::14" ] || fail "detected: $(cat "$work/detection/blocked_ips.txt")"
say "of $(wc -l <"$work/logs/access.log") requests of four clients, exactly the two floods are listed"
blocking nftables
blocking ipset
failures
. "$here/trouble.sh"
# What the same server's operator is mailed.
. "$here/mail.sh"
. "$here/chained.sh"
echo "who floods is kept out, and nobody else"
