"""
Stand-ins of the DNS of Amazon, Google and Microsoft, and a driver of dnssync
that asks them: strict about what they are asked, failing as a test tells them.
"""

import json
import subprocess

import gateway
import peer


LIBS = ("-lcurl", "-ljansson", "-lyaml", "-lpcre2-8", "-lcrypto", "-lz")


class Cloud(peer.Node):
    """A provider's API: see peers/cloud.js, and peers/route53.js,
    peers/google_dns.js, peers/azure_dns.js for what each has.

        cloud.zone("Z1", "a.test")
        cloud.put("Z1", name="www.a.test", type="A", ttl=60, values=[…])
        cloud.fail("POST .*/rrset/", "cut")
        assert cloud.dump("Z1") == {("www.a.test", "A"): ["192.0.2.1"]}

    fail(match, kind, times=1, skip=0, …): requests whose "METHOD URL" matches;
        kinds: throttle, status (status, headers, body), html, truncate, cut
        (carried out, half an answer), vanish (no answer), refuse, change
        (what); times 0 is for ever
    """

    def ask(self, command, **options):
        answer = super().ask(command=command, **options)
        assert "error" not in answer, answer["error"]
        return answer

    def __init__(self, script, **options):
        super().__init__(script, **options)
        self.url = self.hello["url"]

    def set(self, **settings):
        self.ask("set", settings=settings)

    def zone(self, id, name, private=False):
        self.ask("zone", id=id, name=name, private=private)

    def put(self, zone, **record):
        self.ask("put", zone=zone, set=record)

    def remove(self, zone, **record):
        self.ask("remove", zone=zone, set=record)

    def sets(self, zone):
        return self.ask("dump", zone=zone)["sets"]

    def dump(self, zone):
        """What the zone holds beside SOA and NS."""
        return {(s["name"].rstrip("."), s["type"]): s.get("values")
                for s in self.sets(zone) if s["type"] not in ("SOA", "NS")}

    def fail(self, match, kind, **options):
        self.ask("fault", fault=dict(options, match=match, kind=kind))

    def clear(self):
        self.ask("clear")

    def log(self):
        return self.ask("log")["log"]

    def requests(self):
        return [f"{e['method']} {e['url']}" for e in self.log()]

    def reset(self):
        self.ask("reset")


class Drive:
    """drive_cloud with a provider's settings: see unit/drive_cloud.c."""

    def __init__(self, **settings):
        self.process = subprocess.Popen(
            [str(program()), *(f"{name.replace('_', '-')}={value}"
                               for name, value in settings.items())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            bufsize=1)
        self.hello = json.loads(self.process.stdout.readline())

    def __call__(self, do, **options):
        self.process.stdin.write(json.dumps(dict(options, do=do)) + "\n")
        line = self.process.stdout.readline()
        assert line, "drive_cloud ended"
        return json.loads(line)

    def use(self, id, name):
        self("zone", id=id, name=name)

    def list(self, **options):
        """The answer; its sets as a map."""
        answer = self("list", **options)
        answer["map"] = {(s["name"], s["type"]): s["values"]
                         for s in answer["sets"]
                         if s["type"] not in ("SOA", "NS")}
        return answer

    def apply(self, *edits):
        answer = self("apply", edits=list(edits))
        answer["outcomes"] = [r["what"] for r in answer["results"]]
        return answer

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(20) == 0


def program():
    """Built once for each set of objects."""
    objs = gateway.OBJS.resolve()
    path = objs / "t/drive_cloud"
    source = gateway.ROOT / "t/unit/drive_cloud.c"
    library = objs / "libtorii.a"

    if (not path.exists() or path.stat().st_mtime
            < max(source.stat().st_mtime, library.stat().st_mtime)):
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O1", "-g", "-std=gnu99", "-Ilib", "-Idnssync",
                        *(["-fsanitize=address,undefined"]
                          if gateway.SANITIZE else []),
                        "-o", f"{path}.new", source, library, *LIBS],
                       cwd=gateway.ROOT, check=True)
        (objs / "t/drive_cloud.new").rename(path)

    return path


def part(name, type, *values, ttl=60, **more):
    """A set as it is to be; without values: it goes."""
    return {"name": name, "type": type,
            "after": dict(more, ttl=ttl, values=list(values))
            if values else None}


def edit(*parts, keep=(), absent=()):
    return {"parts": list(parts),
            "keep": [{"name": n, "type": t} for n, t in keep],
            "absent": [{"name": n, "type": t} for n, t in absent]}


def host(name, *addresses, mark="heritage=torii,owner=me", ttl=60):
    """A host as it comes to be: its address, and who owns it."""
    return edit(part(name, "A", *addresses, ttl=ttl),
                part(f"_dnssync.{name}", "TXT", mark),
                absent=[(name, "AAAA"), (name, "CNAME")])
