"""Lets one request at a time through to an S3 server: one_at_a_time.py PORT SERVER_PORT

S3 looks whether a key exists and creates it in one step. s3s-fs 0.14.1 looks first and renames later: of two
conditional PUTs at once both succeed, and one of the two is lost. One after the other they behave as on S3.
"""

import http.client
import http.server
import sys

PORT, SERVER_PORT = int(sys.argv[1]), int(sys.argv[2])
HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


class OneAtATime(http.server.BaseHTTPRequestHandler):
    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        server = http.client.HTTPConnection("127.0.0.1", SERVER_PORT)
        server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            server.putheader(name, value)
        server.endheaders(body)
        answer = server.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        length = answer.getheader("content-length") if self.command == "HEAD" else len(content)
        if length is not None and answer.status != 204:
            self.send_header("content-length", str(length))
        self.end_headers()
        self.wfile.write(content)
        server.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

    def log_message(self, *_):
        pass


class Server(http.server.HTTPServer):
    # Clients wait for their turn; the default of 5 would turn them away.
    request_queue_size = 128


Server(("127.0.0.1", PORT), OneAtATime).serve_forever()
