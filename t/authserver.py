"""
A server that the gateway asks whether requests may pass: peers/authserver.js.
"""

import peer


class AuthServer(peer.Node):
    """paths answer as set() said; requests() are those since the last call."""

    def __init__(self):
        super().__init__("authserver.js")
        self.port = self.hello["port"]

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def set(self, path, status, headers=(), **more):
        """headers are pairs; more: body, hold (until release()), destroy."""
        self.ask(command="set", path=path, answer={
            "status": status, "headers": [list(h) for h in headers], **more})

    def requests(self):
        return self.ask(command="seen")["seen"]

    def waiting(self):
        return self.ask(command="waiting")["waiting"]

    def release(self):
        return self.ask(command="release")["released"]
