#!/usr/bin/env bash
# Notices through real servers on loopback: mail in the clear, with STARTTLS and a login, with TLS from the start, and a
# webhook; and what becomes of a notice that cannot be sent. BLOCK is the command, as in "weir block"; PYTHON has aiosmtpd.
set -euo pipefail
cd "$(dirname "$0")"
read -ra block <<<"${BLOCK:-weir block}"
python=${PYTHON:-python3}

work=$(mktemp -d)
started=()
trap 'status=$?; [ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null || true; rm -rf "$work"; exit $status' EXIT

fail() {
  echo "FAILED: $*" >&2
  cat "$work/said" >&2 2>/dev/null || true
  exit 1
}

# An authority, and a certificate of it for localhost.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=test authority" \
  -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" \
  -keyout "$work/server.key" -out "$work/server.csr" 2>/dev/null
openssl x509 -req -in "$work/server.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -days 2 -CAcreateserial \
  -extfile <(echo "subjectAltName=DNS:localhost") -out "$work/server.pem" 2>/dev/null

mkdir "$work/got"
"$python" sinks.py "$work/got" "$work/server.pem" "$work/server.key" >"$work/sinks.log" 2>&1 &
started+=($!)
for _ in $(seq 600); do [ -e "$work/got/ports.json" ] && break || sleep 0.1; done
[ -e "$work/got/ports.json" ] || { cat "$work/sinks.log" >&2; exit 1; }
port() { "$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/got/ports.json" "$1"; }
plain=$(port plain) starttls=$(port starttls) smtps=$(port smtps) webhook=$(port webhook)

# A flood by 192.0.2.66 among visitors, and its detection.
"$python" - >"$work/access.log" <<'PYTHON'
line = '192.0.2.{} - - [03/Nov/2020:14:{:02}:{:02} +0000] "GET /{} HTTP/1.1" 200 512 "-" "{}"'
for i in range(3000):
    print(line.format(66, 5 + i // 1200, i % 1200 // 20, "?" + str(i), "<script>alert(1)</script>" if i % 2 else "curl"))
    if i % 10 == 0:
        print(line.format(1 + i // 10 % 40, 5 + i // 1200, i % 1200 // 20, f"page-{i % 70}", "a browser"))
PYTHON
"${block[@]}" detect --log "$work/access.log" --out "$work/detection" >/dev/null
detection=$work/detection
[ "$(cat "$detection/blocked_ips.txt")" = 192.0.2.66 ] || fail "the detection is not the one expected"
cat >"$work/outcome.json" <<'JSON'
{"enforcer": "nftables", "applied": true, "added": [{"address": "192.0.2.66", "until": 1604415600}]}
JSON

# notify SERVER TLS [ARGUMENT]...: what it says is in said.
notify() {
  "${block[@]}" notify --name web-1 --detection "$detection" --outcome "$work/outcome.json" \
    --set "notice.mail.server=$1" --set "notice.mail.tls=$2" --set "notice.mail.from=Weir <weir@example.org>" \
    --set 'notice.mail.to=["ops@example.org", "second@example.org"]' "${@:3}" >"$work/said" 2>&1
}
arrived() { "$python" arrived.py "$@" || fail "$1 is not the mail expected"; }
count() { find "$work/got" -name "$1-*" | wc -l; }
list=blocked_ips.txt=$detection/blocked_ips.txt report=report.html=$detection/report.html
blocked="weir on web-1: 1 client blocked"

notify "smtp://127.0.0.1:$plain" none || fail "no mail in the clear"
arrived "$work/got/plain-1.eml" "$blocked" "192.0.2.66 until 2020-11-03 15:00:00 UTC" "$list" "$report"
grep -q "<script>" "$work/got/plain-1.eml" && fail "text of requests is in a mail that is not encoded"

notify "smtp://127.0.0.1:$plain" none --status Failed --message '[{"displayName":"enforce","message":"nft says no"}]' ||
  fail "no mail of a failure"
arrived "$work/got/plain-2.eml" "weir on web-1: enforce has failed" "Error: nft says no"

login=(--set notice.mail.user=weir --set notice.mail.password_env=MAIL_PASSWORD)
export MAIL_PASSWORD=correct
notify "smtp://localhost:$starttls" starttls --set "notice.mail.ca_file=$work/ca.pem" "${login[@]}" || fail "no mail by STARTTLS"
arrived "$work/got/starttls-1.eml" "$blocked" "Blocked, by nftables" "$list" "$report"
grep -q correct "$work/said" && fail "the password is shown"
MAIL_PASSWORD=wrong notify "smtp://localhost:$starttls" starttls --set "notice.mail.ca_file=$work/ca.pem" "${login[@]}" &&
  fail "a wrong password is taken"
grep -q "check notice.mail.user and its password" "$work/said" || fail "no hint for a wrong password"

notify "smtps://localhost:$smtps" starttls --set "notice.mail.ca_file=$work/ca.pem" || fail "no mail by TLS"
arrived "$work/got/smtps-1.eml" "$blocked" "1 client blocked" "$list" "$report"

# Nobody is told what is not safe: a server that nobody vouches for, another name, one without TLS.
status=0
notify "smtps://localhost:$smtps" starttls || status=$?
[ $status = 1 ] && grep -q "notice.mail.ca_file" "$work/said" || fail "a server that nobody vouches for: $status"
status=0
notify "smtps://127.0.0.1:$smtps" starttls --set "notice.mail.ca_file=$work/ca.pem" || status=$?
[ $status = 1 ] || fail "a certificate of another name: $status"
status=0
notify "smtp://localhost:$plain" starttls || status=$?
[ $status = 1 ] && grep -q "STARTTLS" "$work/said" || fail "a server without STARTTLS: $status"
status=0
notify "smtp://localhost:$plain" none "${login[@]}" || status=$?
[ $status = 2 ] || fail "a password in the clear: $status"
[ "$(count plain) $(count starttls) $(count smtps)" = "2 1 1" ] || fail "a mail arrived that should not have"

# The webhook is told beside a mail server that is down, and again where it refuses for a while.
echo token >"$work/token"
hook=(--set "notice.webhook.token_file=$work/token" --set)
status=0
notify "smtp://127.0.0.1:1" none "${hook[@]}" "notice.webhook.url=http://localhost:$webhook/passing" || status=$?
[ $status = 1 ] && grep -q "was not told" "$work/said" || fail "a mail server that is down: $status"
"$python" - "$work/got/webhook-1.json" <<'PYTHON' || fail "the call is not the one expected"
import json, sys
call = json.load(open(sys.argv[1]))
assert call["text"] == "weir on web-1: 1 client blocked" and call["status"] == "succeeded", call
assert [entry["address"] for entry in call["blocked"]] == ["192.0.2.66"], call
assert call["blocked_ips"] == "192.0.2.66\n" and "<script>" not in json.dumps(call), call
PYTHON
status=0
notify "smtp://127.0.0.1:$plain" none "${hook[@]}" "notice.webhook.url=http://localhost:$webhook/gone" || status=$?
[ $status = 1 ] && [ "$(count plain)" = 3 ] || fail "a webhook that is gone: $status, $(count plain) mails"

# The same dry run is told of once where a state directory remembers it.
sed -i 's/true/false/' "$work/outcome.json"
for _ in 1 2; do notify "smtp://127.0.0.1:$plain" none --state "$work/state" || fail "no mail of a dry run"; done
[ "$(count plain)" = 4 ] || fail "a dry run is told of $(($(count plain) - 3)) times"
arrived "$work/got/plain-4.eml" "weir on web-1: dry run, not done: 1 client blocked" "with --apply" "$list" "$report"

echo "mails and calls arrive, and nothing arrives that should not"
