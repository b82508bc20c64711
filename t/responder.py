"""
What answers challenges where there is no gateway: a web server for http-01 and
a TLS server for tls-alpn-01, on free ports.
"""

import http.server
import socket
import ssl
import tempfile
import threading

import account


PATH = "/.well-known/acme-challenge/"


class Responder:
    """answer() has the form that account.Account.authorize() calls."""

    def __init__(self):
        self.tokens = {}
        self.contexts = {}
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                   self.handler())
        self.port = self.web.server_address[1]
        self.secure = socket.create_server(("127.0.0.1", 0))
        self.tls = self.secure.getsockname()[1]

        for run in (self.web.serve_forever, self.accept):
            threading.Thread(target=run, daemon=True).start()

    def answer(self, authz, challenge, key_auth):
        name = authz["identifier"]["value"]

        if challenge["type"] == "http-01":
            self.tokens[PATH + challenge["token"]] = key_auth
        else:
            self.contexts[name] = alpn_context(
                *account.alpn_certificate(name, key_auth))

    def handler(self):
        tokens = self.tokens

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = tokens.get(self.path, "").encode()
                self.send_response(200 if body else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *ignored):
                pass

        return Handler

    def accept(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = self.choose

        while True:
            try:
                sock, _ = self.secure.accept()
            except OSError:
                return
            threading.Thread(target=self.shake, args=(context, sock),
                             daemon=True).start()

    def shake(self, context, sock):
        sock.settimeout(10)
        try:
            with context.wrap_socket(sock, server_side=True) as secure:
                secure.recv(1)
        except OSError:
            sock.close()

    def choose(self, sock, name, context):
        if name not in self.contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        sock.context = self.contexts[name]

    def stop(self):
        self.web.shutdown()
        self.web.server_close()
        self.secure.shutdown(socket.SHUT_RDWR)
        self.secure.close()


def alpn_context(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["acme-tls/1"])

    with tempfile.NamedTemporaryFile("w") as file:
        file.write(cert + key)
        file.flush()
        context.load_cert_chain(file.name)

    return context
