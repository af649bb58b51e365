# Sourced by run.sh: `run`, all steps in one, with a mail through a real mail server at the end, whatever that is.
# PYTHON has aiosmtpd.
python=${PYTHON:-python3}
mkdir "$work/chained"
in_server "$python" "$here/../mail/sinks.py" "$work/chained" >"$work/chained.log" 2>&1 &
for _ in $(seq 600); do [ -e "$work/chained/ports.json" ] && break || sleep 0.1; done
[ -e "$work/chained/ports.json" ] || fail "the mail server does not start: $(cat "$work/chained.log")"
chained_port=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["plain"])' "$work/chained/ports.json")

run() {
  in_server "${block[@]}" run --state "$work/state" --enforcer nftables --apply \
    --set "notice.mail.server=smtp://127.0.0.1:$chained_port" --set notice.mail.tls=none \
    --set "notice.mail.from=Weir <weir@example.org>" \
    --set 'notice.mail.to=["ops@example.org", "second@example.org"]' "$@"
}

# The subject and a part of the text of mail $1; more are attached files.
mailed() {
  local mail=$work/chained/plain-$1.eml host
  host=$(in_server hostname)
  "$python" "$here/../mail/arrived.py" "$mail" "weir on $host: $2" "${@:3}" || fail "the mail is not the one expected: $(cat "$mail")"
}

# Runs the rest, which has to end with exit code $1, with nobody blocked.
stops() {
  local expected=$1 status=0
  shift
  rules >"$work/rules.before"
  "$@" >"$work/refused.txt" 2>&1 || status=$?
  [ $status = "$expected" ] || fail "ended with $status in place of $expected: $*: $(cat "$work/refused.txt")"
  rules | diff "$work/rules.before" - || fail "rules were changed by $*"
  [ ! -e "$work/state/blocklist.json" ] && [ ! -e "$work/state/blocked_ips.txt" ] || fail "the state was changed by $*"
  say "stopped: $(grep -m1 '^error' "$work/refused.txt")"
}

rm -rf "$work/state"
stops 1 run --log "http://127.0.0.1:1/access.log"
mailed 1 "fetch has failed" "127.0.0.1:1"
echo "no log at all" >"$work/no-log"
stops 3 run --log "$work/no-log"
mailed 2 "detect has failed" "is no access log"
PATH=$work/broken-nft:$PATH stops 1 run --log "$work/logs/access.log"
mailed 3 "enforce has failed" "nft is broken"
all_reach flood anna ben

run --log "$work/logs/access.log" >"$work/ran.txt"
none_reaches flood
all_reach anna ben
mailed 4 "2 clients blocked" "10.77.0.13 until " "blocked_ips.txt=$work/state/detection/blocked_ips.txt" \
  "report.html=$work/state/detection/report.html"
run --log "$work/logs/access.log" >"$work/ran.txt"
[ ! -e "$work/chained/plain-5.eml" ] || fail "a mail of nothing: $(cat "$work/chained/plain-5.eml")"
remove 10.77.0.13 --quiet
all_reach flood
remove --all --quiet
say "run: a failure at every step is mailed and changes nothing; success is mailed with the list; remove lets in"

# Followed: a flood that comes later is kept out while it lasts.
rm -rf "$work/state"
run --log "$work/logs/access.log" --follow --every 1 --allow 10.77.0.13 --quiet >"$work/followed.txt" 2>&1 &
follower=$!
by ben timeout 20 ab -q -n 2000 -c 10 http://10.77.0.1/index.html >"$work/ab-ben.txt" 2>&1 || true
# Two misses in a row: one may be chance.
for _ in $(seq 100); do reaches ben || reaches ben || break; sleep 0.2; done
none_reaches ben
all_reach anna flood
# The process itself: a shell in the background keeps signals from what it runs.
pkill -TERM -f -- "run --state $work/state"
wait $follower || fail "following ends with $?: $(cat "$work/followed.txt")"
remove --all --quiet
say "run --follow: a flood is kept out while the log is being written"
