"""Compares a mail with the files that should be in it: arrived.py MAIL SUBJECT TEXT [NAME=FILE]..."""

import email
import email.policy
import sys

path, subject, text, *files = sys.argv[1:]
with open(path, "rb") as file:
    message = email.message_from_binary_file(file, policy=email.policy.SMTP)
assert not message.defects, message.defects
assert message["Subject"] == subject, message["Subject"]
assert message["From"] == "Weir <weir@example.org>", message["From"]
assert message["To"] == "ops@example.org, second@example.org", message["To"]
assert message["Auto-Submitted"] == "auto-generated" and message["Message-ID"] and message["Date"].datetime
body = message.get_body().get_content()
assert text in body, body
attached = {part.get_filename(): part.get_payload(decode=True) for part in message.iter_attachments()}
expected = {}
for name, source in (given.split("=", 1) for given in files):
    with open(source, "rb") as file:
        expected[name] = file.read()
assert attached == expected, (sorted(attached), sorted(expected))
