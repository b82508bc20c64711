"""
Redis for tests, a real one, that keeps nothing on disk.
"""

import socket
import subprocess
import time

import daemon


PASSWORD = "the password of redis: 100%"


class Redis(daemon.Daemon):
    """redis-server on a free port; stop() and start() keep the port.

    With tls (a certificate.Pair) it speaks that alone.
    """

    def __init__(self, tls=None):
        self.tls = tls
        self.launch()

    def prepare(self):
        if self.tls:
            (self.dir / "cert.pem").write_text(self.tls.chain)
            (self.dir / "key.pem").write_text(self.tls.key)
        (self.dir / "redis.conf").write_text("\n".join([
            "bind 127.0.0.1",
            f"port {0 if self.tls else self.port}",
            *([f"tls-port {self.port}", "tls-cert-file cert.pem",
               "tls-key-file key.pem", "tls-auth-clients no"]
              if self.tls else []),
            'save ""', "appendonly no",
            f'requirepass "{PASSWORD}"', ""]))

    def command(self):
        return ["redis-server", "redis.conf"]

    def ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as s:
                if self.tls:
                    return True
                s.settimeout(1)
                s.sendall(b"PING\r\n")
                return s.recv(100).startswith(b"-NOAUTH")
        except OSError:
            return False

    def start(self):
        self.run()
        assert self.answers(), self.log()[-2000:]
        self.forgiven()

    @staticmethod
    def forgiven():
        """A worker that could not reach it tries again after a second at most,
        of which nothing tells."""
        time.sleep(1.1)

    @property
    def url(self):
        escaped = PASSWORD.replace("%", "%25").replace(" ", "%20")
        return (f"redis{'s' if self.tls else ''}://:{escaped}"
                f"@{'localhost' if self.tls else '127.0.0.1'}:{self.port}")

    def ask(self, *words, data=None):
        """What redis-cli says, in lines; data is a last argument."""
        run = subprocess.run(
            ["redis-cli", "-p", str(self.port), "--no-auth-warning",
             *(["--tls", "--insecure"] if self.tls else []),
             *(["-x"] if data is not None else []), *words],
            input=data, capture_output=True, timeout=10,
            env={"REDISCLI_AUTH": PASSWORD, "PATH": "/usr/bin:/bin"})
        assert run.returncode == 0, run.stderr
        return run.stdout.decode(errors="replace").splitlines()

    def raw(self, key):
        """The bytes of a value."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as s:
            f = s.makefile("rwb")
            for words in (("AUTH", PASSWORD), ("GET", key)):
                f.write(b"*%d\r\n" % len(words))
                for word in words:
                    f.write(b"$%d\r\n%s\r\n" % (len(word), word.encode()))
                f.flush()
                head = f.readline()
            return f.read(int(head[1:])) if head != b"$-1\r\n" else None

    def sessions(self):
        return [key for key in self.ask("KEYS", "torii:session:*") if key]

    def clear(self):
        self.ask("FLUSHALL")
