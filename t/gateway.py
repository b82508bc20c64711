"""
The gateway under test: a real nginx with the module, a folder of manifests
and the configuration that an operator would write.
"""

import collections
import itertools
import json
import os
import pathlib
import struct
import subprocess

import manifest
import nginx


ROOT = pathlib.Path(__file__).resolve().parent.parent
SANITIZE = bool(os.environ.get("TORII_SANITIZE"))
OBJS = pathlib.Path(os.environ.get(
    "TORII_OBJS", ROOT / ("objs/sanitize" if SANITIZE else "objs")))
MODULE = OBJS.resolve() / "ngx_http_torii_module.so"

# state/table/control: ngx_torii_control_t of ngx_module/ngx_http_torii.h
Control = collections.namedtuple(
    "Control", "magic generation published compile_us publish_us "
               "publish_us_sum publishes failures helper_pid started restarts "
               "beat synced")

CONTROL_MAGIC = 0x31306c7274636f74
TABLE_SECTIONS = 15
MARK = "torii-test-mark"

# an upgraded nginx gets no environment but what it is told to pass on
SANITIZER_MAIN = "env LD_PRELOAD; env ASAN_OPTIONS; env UBSAN_OPTIONS;\n"


class Gateway(nginx.Nginx):
    """An nginx with the module.

        gateway.serve("a.example", echo[0], proxy_body_size="8k")
        assert gateway.post(host="a.example", body=b"x" * 9000).status == 413

    serve(), apply() and remove() return when the change is in force: a request
    sent afterwards sees it.  They put a mark beside the objects (an Ingress of
    a host of its own in the same file) and wait until it is in the table;
    nothing sleeps.

    Ports: plain, tls (HTTP/1.1 and 2), h2c (HTTP/2 without TLS) and admin.

    main, http, server
                   more text for those places of nginx.conf; server is the one
                   with "torii on"
    listen         its listen lines, instead of the usual three
    manifests      initial objects: {"name": [objects]}; in force at the end of
                   start(), unless wait is False
    class_name     of the marks, for a gateway that serves one class only

    With TORII_SANITIZE=1 in the environment the module is taken from
    objs/sanitize and nginx runs with AddressSanitizer loaded.
    """

    def __init__(self, http="", server="", manifests=None, main="",
                 workers=2, class_name=None, listen=None, wait=True):
        super().__init__(http=http, main=main, workers=workers)
        self.state = self.dir / "state"
        self.folder = self.dir / "manifests"
        self.folder.mkdir()
        self.server = server
        self.class_name = class_name
        self.listen = listen
        self.wait_at_start = wait
        self.initial = dict(manifests or {})
        self.marks = {}
        self.serial = itertools.count(1)
        if SANITIZE:
            self.environment.update(sanitizer(self.dir))

    def config(self):
        listen = self.listen or """
        listen 127.0.0.1:@plain@;
        listen 127.0.0.1:@tls@ ssl http2;
        listen 127.0.0.1:@h2c@ http2;"""

        return self.frame(f"""load_module {MODULE};
{SANITIZER_MAIN if SANITIZE else ""}{self.main}""", f"""
    torii_state      @dir@/state;
    {self.source()}
    {self.http}
    server {{{listen}
        torii on;
        {self.server}
    }}
    server {{
        listen 127.0.0.1:@admin@;
        torii_admin on;
    }}""")

    def source(self):
        return "torii_manifests  @dir@/manifests;"

    def start(self):
        for name, docs in self.initial.items():
            self.put(name, docs)

        if not self.initial:
            self.put("mark", [])

        super().start()

        if self.wait_at_start:
            self.settle()

        return self

    def check(self):
        super().check()
        self.check_sanitizer()

    def check_sanitizer(self):
        for report in self.dir.glob("sanitizer/*"):
            text = report.read_text(errors="replace")
            report.unlink()
            raise AssertionError(text[:4000])

    # Manifests

    def write(self, name, text):
        """Write a file of the folder (a path under it, with its ending) by a
        rename, as it is, and do not wait."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name("." + path.name + ".new")
        temporary.write_bytes(text if isinstance(text, bytes)
                              else text.encode())
        temporary.rename(path)
        return path

    def put(self, name, *docs):
        """Write objects to NAME.yaml with a mark, and do not wait; returns the
        mark, for settle()."""
        mark = f"mark-{next(self.serial)}.torii.test"
        extra = manifest.ingress(
            f"{MARK}-{manifest.label(name)}", manifest.rule(mark),
            class_name=self.class_name)
        path = f"{name}.yaml"
        many = len(docs) > 200 or any(len(d) > 200 for d in docs
                                      if isinstance(d, list))
        dump = manifest.dump_json if many else manifest.dump_yaml
        self.write(path, dump(*docs, extra))
        self.marks[path] = mark
        return mark

    def apply(self, name, *docs):
        """Write objects to NAME.yaml and wait until they are in force."""
        self.settle(self.put(name, *docs))

    def serve(self, host, *addresses, **options):
        """Route a host to backends: see manifest.route(); the file is named
        after the host and path, and replaced by the next serve() of them."""
        docs = manifest.route(host, *addresses, **options)
        self.apply(options.get("name")
                   or manifest.label(f"{host or 'any'}"
                                     f"{options.get('path_text', '/')}"), docs)
        return host

    def remove_objects(self, name):
        """Remove NAME.yaml and wait until what was in it is gone."""
        mark = self.marks.pop(f"{name}.yaml").encode()
        (self.folder / f"{name}.yaml").unlink()
        nginx.wait_until(lambda: mark not in self.table(),
                         lambda: f"{name} to go; {self.report()}")

    def settle(self, *marks):
        """Wait until the marks (default: all files' newest) are in force."""
        wanted = [m.encode() for m in marks or self.marks.values()]

        def there():
            table = self.table()
            return all(m in table for m in wanted)

        nginx.wait_until(there, lambda: f"{wanted}; {self.report()}")

    def report(self):
        return (f"control: {self.control()}\nfindings: {self.findings()}\n"
                f"log:\n{self.tail()}")

    # What the helper published

    def control(self):
        """The control page, or None while there is none."""
        try:
            data = (self.state / "table/control").read_bytes()
        except FileNotFoundError:
            return None

        size = struct.calcsize("13Q")
        if len(data) < size:
            return None

        control = Control(*struct.unpack("13Q", data[:size]))
        return control if control.magic == CONTROL_MAGIC else None

    @property
    def generation(self):
        control = self.control()
        return control.generation if control else 0

    def table(self):
        """Bytes of the table in force; empty while there is none."""
        try:
            return (self.state
                    / f"table/table.{self.generation}").read_bytes()
        except FileNotFoundError:
            return b""

    def findings(self, marks=False, table=None):
        """Findings of the table in force, as dicts: severity, reason, object,
        file, line, field, value, message."""
        table = self.table() if table is None else table
        if not table:
            return []

        header, = struct.unpack_from("I", table, 32)
        off, length = struct.unpack_from("II", table, 56)
        pool, = struct.unpack_from("Q", table, header - 16)
        found = json.loads(table[pool + off:pool + off + length] or b"[]")

        return [f for f in found
                if marks or MARK not in json.dumps(f)]

    def wait_finding(self, **wanted):
        """Wait for a finding whose members contain the given texts, as
        reason="BadPort", field="rules"; returns it."""
        def search():
            for finding in self.findings(marks=True):
                if all(text in json.dumps(finding.get(name))
                       for name, text in wanted.items()):
                    return finding
            return None

        return nginx.wait_until(search,
                                lambda: f"{wanted}; {self.report()}")

    def helper_pid(self):
        found = [p for p in nginx.children(self.pid)
                 if "torii helper" in nginx.title(p)]
        return found[0] if len(found) == 1 else None

    def admin_get(self, target):
        """GET of the admin listener."""
        return self.get(target, host="127.0.0.1", port=self.admin)


def sanitizer(folder):
    """Environment of an nginx that loads a module with sanitizers."""
    def library(name):
        return subprocess.run(["gcc", f"-print-file-name={name}"], text=True,
                              capture_output=True).stdout.strip()

    reports = folder / "sanitizer"
    reports.mkdir()
    reports.chmod(0o777)
    options = f"log_path={reports}/report:abort_on_error=1"

    # nginx owns its memory for good: what is alive at exit is no leak
    return {"LD_PRELOAD": f"{library('libasan.so')} {library('libubsan.so')}",
            "ASAN_OPTIONS": options + ":detect_leaks=0",
            "UBSAN_OPTIONS": options + ":print_stacktrace=1"}
