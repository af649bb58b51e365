# Sourced by run.sh: what the operator of the server is mailed, through a real mail server in the server's namespace.
# PYTHON has aiosmtpd.
python=${PYTHON:-python3}
mkdir "$work/got"
in_server "$python" "$here/../mail/sinks.py" "$work/got" >"$work/sinks.log" 2>&1 &
for _ in $(seq 600); do [ -e "$work/got/ports.json" ] && break || sleep 0.1; done
[ -e "$work/got/ports.json" ] || fail "the mail server does not start: $(cat "$work/sinks.log")"
mail_port=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["plain"])' "$work/got/ports.json")

notify() {
  in_server "${block[@]}" notify --name web-1 --detection "$work/detection" --list "$work/state/blocked_ips.txt" \
    --set "notice.mail.server=smtp://127.0.0.1:$mail_port" --set notice.mail.tls=none \
    --set "notice.mail.from=Weir <weir@example.org>" \
    --set 'notice.mail.to=["ops@example.org", "second@example.org"]' "$@"
}

rm -rf "$work/state"
enforce --enforcer nftables --apply --json >"$work/outcome.json"
none_reaches flood
notify --outcome "$work/outcome.json"
"$python" "$here/../mail/arrived.py" "$work/got/plain-1.eml" "weir on web-1: 2 clients blocked" "10.77.0.13 until " \
  "blocked_ips.txt=$work/state/blocked_ips.txt" "report.html=$work/detection/report.html" ||
  fail "the mail is not the one expected: $(cat "$work/got/plain-1.eml")"
say "the operator is mailed who is blocked, with the list and the report"

# The same log once more: nothing changes, and nobody is mailed of it.
enforce --enforcer nftables --apply --json >"$work/outcome.json"
notify --outcome "$work/outcome.json"
[ ! -e "$work/got/plain-2.eml" ] || fail "a mail of nothing: $(cat "$work/got/plain-2.eml")"
say "a run that changes nothing is mailed to nobody"

# A failure changes nothing and is mailed; a mail server that is gone lets in nobody.
message=$(detect "$work/no-such.log" 2>&1) && fail "a log that is not there is read"
notify --status Failed --message "$message"
"$python" "$here/../mail/arrived.py" "$work/got/plain-2.eml" "weir on web-1: run has failed" "no-such.log" ||
  fail "the mail is not the one expected: $(cat "$work/got/plain-2.eml")"
status=0
mail_port=1 notify --set notice.success=always --outcome "$work/outcome.json" 2>"$work/refused.txt" || status=$?
[ "$status" = 1 ] || fail "a mail server that is gone ends with $status: $(cat "$work/refused.txt")"
none_reaches flood
all_reach anna ben
remove --all --quiet
say "a failure is mailed, and a mail server that is gone lets in nobody"
