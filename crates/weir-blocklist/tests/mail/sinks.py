"""Mail servers and a webhook on loopback that keep what they get: sinks.py DIR [CERTIFICATE KEY]

Writes DIR/ports.json once all of them listen. A mail becomes DIR/<server>-<number>.eml, a call DIR/webhook-<number>.json.
Servers: plain (no TLS); with a certificate also starttls (TLS first, then a login as weir with the password `correct`) and
smtps (TLS from the start).
The webhook wants the token `token`; /passing refuses the first call, /gone all of them.
"""

import http.server
import json
import os
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

directory, *identity = sys.argv[1:]


def keep(name, ending, content):
    number = sum(other.startswith(name + "-") for other in os.listdir(directory)) + 1
    path = os.path.join(directory, f"{name}-{number}.{ending}")
    with open(path + "~", "wb") as file:
        file.write(content)
    os.rename(path + "~", path)


class Sink:
    def __init__(self, name):
        self.name = name

    async def handle_DATA(self, server, session, envelope):
        keep(self.name, "eml", envelope.original_content)
        return "250 kept"


def authenticate(server, session, envelope, mechanism, login):
    return AuthResult(success=(login.login, login.password) == (b"weir", b"correct"), handled=False)


class Anywhere(Controller):
    """On a free port, which it says."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def mail(name, **arguments):
    controller = Anywhere(Sink(name), hostname="127.0.0.1", port=0, ready_timeout=60, **arguments)
    controller.start()
    return controller.port


class Webhook(http.server.BaseHTTPRequestHandler):
    passing = 0

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        status = 200
        if self.headers["Authorization"] != "Bearer token":
            status = 401
        elif self.path == "/gone":
            status = 410
        elif self.path == "/passing" and Webhook.passing == 0:
            Webhook.passing, status = 1, 503
        if status == 200:
            keep("webhook", "json", content)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


webhook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
threading.Thread(target=webhook.serve_forever, daemon=True).start()
ports = {"plain": mail("plain"), "webhook": webhook.server_port}
if identity:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*identity)
    login = {"auth_required": True, "authenticator": authenticate}
    ports["starttls"] = mail("starttls", tls_context=context, require_starttls=True, **login)
    ports["smtps"] = mail("smtps", ssl_context=context)
keep("ports", "json", json.dumps(ports).encode())
os.rename(os.path.join(directory, "ports-1.json"), os.path.join(directory, "ports.json"))
threading.Event().wait()
