# Sourced by run.sh: letting in whatever fails, what is not ours, a host without IPv6, a clock that was set back.

# Runs the rest, which has to end with exit code $1; what it says is in said.txt.
ends() {
  local expected=$1 status=0
  shift
  "$@" >"$work/said.txt" 2>&1 || status=$?
  [ $status = "$expected" ] || fail "ended with $status in place of $expected: $*: $(cat "$work/said.txt")"
}
says() { grep -qF -- "$1" "$work/said.txt" || fail "it does not say \"$1\": $(cat "$work/said.txt")"; }
nothing_is_left() { ! rules | grep 'inet weir\|create weir\|match-set weir' || fail "something is left"; }

# The least time left for which an enforcer has to be right, read in whole seconds, cut.
short_block() {
  rm -rf "$work/state"
  ends 0 enforce --enforcer "$1" --apply --quiet --set blocklist.block_seconds=6
  ends 0 remove --all --quiet
  nothing_is_left
  say "$1: a block of six seconds is one"
}

let_in_whatever_fails() {
  local enforcer=$1
  rm -rf "$work/state"
  # Where the other mount was, which run.sh takes away at its end.
  umount "$work/read-only"
  mount -t tmpfs -o size=256k none "$work/read-only"
  ln -s "$work/read-only" "$work/state"
  enforce --enforcer "$enforcer" --apply --quiet
  none_reaches flood
  dd if=/dev/zero of="$work/state/full" bs=4k >"$work/dd.txt" 2>&1 || true
  ends 1 remove 10.77.0.13
  says "let in 10.77.0.13"
  says "the blocklist does not say who was let in, and the next run may block them again"
  says "make room on the disk and try again"
  all_reach flood
  ! reaches flood6 '[fd77::1]' || fail "removing one let in the other"
  ends 1 remove --all
  says "let in fd77::14"
  nothing_is_left
  rm "$work/state/full"
  ends 0 remove --all
  enforce --enforcer "$enforcer" --apply --quiet
  all_reach flood
  nothing_is_left
  say "$enforcer: with a full disk everybody is let in, and stays so once there is room and it is said again"

  rm -rf "$work/state"
  enforce --enforcer "$enforcer" --apply --quiet
  truncate -s 20 "$work/state/blocklist.json"
  ends 3 remove 10.77.0.13
  says "let in 10.77.0.13"
  says "blocklist.json is corrupt"
  all_reach flood
  ends 3 remove --all
  nothing_is_left
  rm "$work/state/blocklist.json"
  enforce --enforcer "$enforcer" --apply --quiet
  nothing_is_left
  say "$enforcer: with a corrupt blocklist, too"
}

nft_fails() {
  rm -rf "$work/state"
  enforce --enforcer nftables --apply --quiet
  PATH=$work/broken-nft:$PATH ends 1 remove 10.77.0.13
  says "nobody was let in"
  says "nftables let nobody in: nft failed"
  says 'nft delete table inet weir'
  none_reaches flood
  enforce --enforcer nftables --apply --quiet
  all_reach flood
  ends 0 remove --all
  nothing_is_left
  say "nftables: what nft could not be told is told by the next run"
}

not_ours() {
  rm -rf "$work/state"
  mkdir "$work/state"
  in_server ipset create weir4 hash:net
  in_server ipset add weir4 10.0.0.0/8
  refuses 2 enforce --enforcer ipset --apply
  refuses 2 remove --all --enforcer ipset
  in_server ipset destroy weir4
  in_server ipset create weir6 hash:ip family inet6
  refuses 2 enforce --enforcer ipset --apply
  in_server ipset destroy weir6

  in_server nft -f - <<'NFT'
table inet weir {
  set blocked4 { type ipv4_addr; flags timeout; elements = { 192.0.2.1 timeout 1h } }
  chain input { type filter hook input priority 0; tcp dport 9999 drop; }
}
NFT
  refuses 2 enforce --enforcer nftables --apply
  refuses 2 remove --all
  ends 0 enforce --enforcer ipset --apply --quiet
  none_reaches flood
  ends 2 remove --all
  says "let in 10.77.0.13"
  all_reach flood
  in_server nft delete table inet weir
  ends 0 remove --all
  nothing_is_left
}

without_ipv6() {
  mkdir -p "$work/no-ip6tables"
  printf '#!/bin/sh\necho "ip6tables: Address family not supported by protocol" >&2\nexit 3\n' >"$work/no-ip6tables/ip6tables"
  chmod +x "$work/no-ip6tables/ip6tables"
  local PATH=$work/no-ip6tables:$PATH
  rm -rf "$work/state"
  enforce --enforcer ipset --apply --quiet --allow fd77::/64
  none_reaches flood
  ! rules | grep weir6 || fail "there is a set of IPv6"
  ends 0 remove 10.77.0.13
  all_reach flood
  nothing_is_left
  # As earlier versions left it.
  in_server ipset create weir6 hash:ip family inet6 timeout 0
  rm -rf "$work/state"
  enforce --enforcer ipset --apply --quiet --allow fd77::/64
  ends 0 remove --all
  nothing_is_left
  say "ipset: a host whose ip6tables does nothing blocks over IPv4"
}

clock_set_back() {
  rm -rf "$work/state"
  enforce --enforcer nftables --apply --quiet
  "${PYTHON:-python3}" - "$work/state/blocklist.json" <<'PYTHON'
import json, sys
with open(sys.argv[1]) as file:
    blocklist = json.load(file)
for entry in blocklist["entries"]:
    entry["since"] += 86400
    entry["until"] += 86400
with open(sys.argv[1], "w") as file:
    json.dump(blocklist, file)
PYTHON
  enforce --enforcer nftables --apply --quiet
  in_server nft list table inet weir >"$work/table.txt"
  ! grep -qE 'timeout [0-9]+d' "$work/table.txt" || fail "a block lasts for a day: $(cat "$work/table.txt")"
  ends 0 remove ::ffff:10.77.0.13
  says "let in 10.77.0.13"
  all_reach flood
  remove --all --quiet
  say "nftables: a clock that was set back makes no block longer; an address is let in however it is written"
}

for enforcer in nftables ipset; do
  short_block $enforcer
  let_in_whatever_fails $enforcer
done
nft_fails
not_ours
without_ipv6
clock_set_back
