"""
A real nginx in a folder of its own, started and stopped by a test.
"""

import collections
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import client


BINARY = os.environ.get("TORII_NGINX", "/usr/sbin/nginx")

# Lines of an error log that no test may cause without expecting them.
BAD = re.compile(r"\[(alert|crit|emerg)\]|exited on signal|"
                 r"AddressSanitizer|runtime error:")

# Every nginx that runs, so that whoever looks after a test can look at all.
running = []


def free_port():
    port, = free_ports(1)
    return port


def free_ports(n):
    """n different ports: all are held until the last one is found."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def wait_until(check, what, timeout=10, every=0.002):
    """The first true value of check(); AssertionError with what (a text or a
    function that makes one) when there is none in time."""
    deadline = time.monotonic() + timeout

    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("timed out waiting for "
                                 + (what() if callable(what) else what))
        time.sleep(every)


def alive(pid):
    """A zombie counts as dead."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid):
    out = []

    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                out += [int(n) for n in f.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        pass

    return out


def title(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Nginx:
    """An nginx with a configuration of the test's.

    The text of http {} is given with @plain@, @tls@, @h2c@, @admin@ and @hook@
    in the place of free ports and @dir@ in that of the folder.  Temp paths,
    logs, pid, user and the like are there already.

        nginx = start_nginx('''
            server { listen 127.0.0.1:@plain@; return 204; }
        ''')
        assert nginx.get("/").status == 204

    get(), post() and request() open a connection each; connect(), http1() and
    http2() give one to keep.
    """

    names = ("plain", "tls", "h2c", "admin", "hook")

    def __init__(self, http="", main="", events="", workers=2):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="torii-"))
        self.dir.chmod(0o755)
        self.log_file = self.dir / "error.log"
        self.access_file = self.dir / "access.log"
        self.http, self.main, self.events = http, main, events
        self.workers = workers
        self.allowed = []
        self.checked = 0
        self.pids = set()
        self.environment = dict(os.environ)

    # Start and stop

    def config(self):
        """The whole nginx.conf, still with its @words@."""
        return self.frame(self.main, self.http)

    def frame(self, main, http):
        user = "user www-data;" if os.getuid() == 0 else ""
        temp = " ".join(f"{name}_temp_path @dir@/temp/{name};" for name in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""{main}
{user}
worker_processes {self.workers};
pid @dir@/nginx.pid;
error_log @dir@/error.log info;
events {{ worker_connections 2048; {self.events} }}
http {{
    {temp}
    access_log @dir@/access.log;
    {http}
}}
"""

    def text(self):
        out = self.config().replace("@dir@", str(self.dir))
        for name in self.names:
            out = out.replace(f"@{name}@", str(getattr(self, name)))
        return out

    def start(self):
        """Start it and return self; ports taken by others in the meantime are
        chosen anew."""
        (self.dir / "temp").mkdir(exist_ok=True)

        for attempt in range(5):
            for name, port in zip(self.names, free_ports(len(self.names))):
                setattr(self, name, port)
            (self.dir / "nginx.conf").write_text(self.text())
            result = self.launch()
            if "Address already in use" not in result.stderr:
                break

        return self.started(result)

    def restart(self):
        """Start again with the same ports and folder, after stop()."""
        return self.started(self.launch())

    def started(self, result):
        assert result.returncode == 0, f"nginx: {result.stderr}{self.log()}"
        self.pid = self.read_pid()
        running.append(self)
        wait_until(lambda: len(self.worker_pids()) == self.workers,
                   "the workers")
        return self

    def launch(self, *arguments):
        """Run the binary with the configuration, "-t" or "-T" for instance,
        and return subprocess' result."""
        return subprocess.run(
            [BINARY, "-p", str(self.dir), "-c", str(self.dir / "nginx.conf"),
             "-e", str(self.log_file), *arguments],
            env=self.environment, capture_output=True, text=True, timeout=60,
            stdin=subprocess.DEVNULL)

    def read_pid(self):
        def read():
            try:
                return int((self.dir / "nginx.pid").read_text())
            except (FileNotFoundError, ValueError):
                return None
        return wait_until(read, "nginx.pid")

    def kill(self, number):
        os.kill(self.pid, number)

    def tree(self):
        """All processes: the master first.  stop() waits for all that this
        ever gave, those of a master that was replaced too."""
        out = [self.pid]
        for pid in out:
            out += children(pid)
        self.pids.update(out)
        return out

    def worker_pids(self):
        """Workers that take requests, not those that are shutting down."""
        return [p for p in children(self.pid)
                if "worker process" in title(p)
                and "shutting down" not in title(p)]

    def reload(self):
        """HUP, and wait until new workers run."""
        old = set(self.worker_pids())
        self.kill(signal.SIGHUP)
        wait_until(lambda: len(set(self.worker_pids()) - old) == self.workers,
                   "workers of the new configuration")

    def upgrade(self):
        """USR2: a new master beside the old one, whose pid is returned."""
        old = self.pid
        self.tree()
        self.kill(signal.SIGUSR2)
        wait_until((self.dir / "nginx.pid.oldbin").exists, "the new master")
        self.pid = wait_until(lambda: self.read_pid() != old
                              and self.read_pid(), "the new master's pid")
        return old

    def stop(self, how=signal.SIGTERM, timeout=10):
        """Stop it, wait until every process of it is gone, and look through
        the log once more."""
        if self in running:
            running.remove(self)

        self.tree()

        if self.left():
            os.kill(self.pid, how)

        try:
            wait_until(lambda: not self.left(), "the end of nginx", timeout)
        except AssertionError:
            for pid in self.left():
                os.kill(pid, signal.SIGKILL)
            raise
        finally:
            self.pids.clear()

        self.check()

    def left(self):
        """Processes of it that are still there."""
        return [p for p in self.pids if alive(p) and "nginx" in title(p)]

    def remove(self):
        """Stop it if it runs and remove the folder."""
        try:
            if self in running:
                self.stop()
        finally:
            if not os.environ.get("TORII_KEEP"):
                shutil.rmtree(self.dir, ignore_errors=True)

    # Logs

    def log(self):
        try:
            return self.log_file.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def access(self):
        try:
            return self.access_file.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def wait_log(self, pattern, timeout=10, since=0):
        """Wait until the error log matches, behind so many bytes of it, and
        return the match."""
        return wait_until(lambda: re.search(pattern, self.log()[since:]),
                          lambda: f"{pattern!r} in the log:\n{self.tail()}",
                          timeout)

    def tail(self, n=20):
        return "\n".join(self.log().splitlines()[-n:])

    def expect(self, pattern):
        """Bad lines of the log that match are what this test is about; the
        next test must say so itself."""
        self.allowed.append(re.compile(pattern))

    def check(self):
        """Fail if there are bad lines in the log since the last check."""
        lines = self.log().splitlines()
        new, self.checked = lines[self.checked:], len(lines)
        bad = [line for line in new if BAD.search(line)
               and not any(p.search(line) for p in self.allowed)]
        assert not bad, "in the error log:\n" + "\n".join(bad[:20])

    # Requests

    def connect(self, tls=False, sni=None, port=None, **how):
        """A socket to the plain or the TLS port: see client.connect()."""
        port = port or (self.tls if tls else self.plain)
        return client.connect(port, tls, sni, **how)

    def http1(self, tls=False, sni=None, **how):
        """A client.Http1 connection."""
        return client.Http1(self.connect(tls, sni, **how))

    def http2(self, tls=True, sni=None, **how):
        """A client.Http2 connection; without TLS to the h2c port."""
        if tls:
            how.setdefault("alpn", ("h2",))
        else:
            how.setdefault("port", self.h2c)
        return client.Http2(self.connect(tls, sni, **how))

    def request(self, method, target="/", host="localhost", tls=False,
                h2=False, sni="", body=None, port=None, source=None,
                context=None, timeout=10, headers=(), echo=None, **named):
        """One request on a connection of its own; gives a client.Answer.

        host      Host or :authority, as it is sent; None for none
        tls, h2   TLS port; HTTP/2 (without tls: h2c)
        sni       server name of the handshake; "" is the host, None none
        body      bytes, or an iterable of bytes: sent chunked
        source    client's address, e.g. "127.0.0.9"
        headers   pairs, sent as they are
        echo      options for the echo backend: see Echo in peer.py
        x_name=…  a header "X-Name: …"
        """
        if sni == "":
            sni = host.split(":")[0] if host else None

        how = dict(tls=tls, sni=sni, source=source, timeout=timeout,
                   context=context)
        if port:
            how["port"] = port

        extra = {"scheme": "https" if tls else "http"} if h2 else {}

        with (self.http2(**how) if h2 else self.http1(**how)) as c:
            return c.request(method, target, host, body=body,
                             headers=headers, echo=echo, **extra, **named)

    def get(self, target="/", host="localhost", **how):
        return self.request("GET", target, host, **how)

    def post(self, target="/", host="localhost", body=b"", **how):
        return self.request("POST", target, host, body=body, **how)

    def raw(self, data, tls=False, sni=None, timeout=2, **how):
        """Send bytes, and return all that comes back until the server closes
        or is silent for the timeout."""
        with self.connect(tls, sni, **how) as sock:
            try:
                sock.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass
            return client.read_all(sock, timeout)


def memory(pid):
    """Bytes of a process that are its own: Private_Clean + Private_Dirty."""
    total = 0

    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            if line.startswith("Private_"):
                total += int(line.split()[1]) * 1024

    return total


def descriptors(pid):
    """How many open files of each kind: {"socket": 7, "file": 3, …}."""
    out = collections.Counter()

    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        out["file" if target.startswith("/") else target.split(":")[0]] += 1

    return out
