"""
Programs that tests run beside the gateway, each with a folder of its own.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import nginx


class Daemon:
    """A program that runs until stop(), or until its parent is gone.

    A class of one says: names (of its ports), command() (with self.NAME for
    each of them), ready(), and writes what it needs into self.dir in
    prepare().  A port that somebody else took makes it choose anew.
    """

    names = ("port",)

    def launch(self):
        kind = type(self).__name__.lower()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"torii-{kind}-"))
        self.log_file = self.dir / "log"

        for attempt in range(5):
            for name, port in zip(self.names,
                                  nginx.free_ports(len(self.names))):
                setattr(self, name, port)
            self.prepare()
            self.run()
            if self.answers():
                return
            if "in use" not in self.log():
                break

        raise AssertionError(f"{kind} does not start:\n{self.log()[-2000:]}")

    def run(self):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *map(str, self.command())],
                cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment()})

    def answers(self):
        def look():
            return self.process.poll() is not None or self.ready()

        nginx.wait_until(look, lambda: self.log()[-2000:], 20, every=0.02)
        return self.process.poll() is None

    def prepare(self):
        pass

    def environment(self):
        return {}

    def log(self):
        return self.log_file.read_text(errors="replace")

    def kill(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(10)

    def stop(self):
        if self.process.poll() is None:
            self.kill()
        if not os.environ.get("TORII_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
