"""
PowerDNS with its HTTP API, over SQLite.
"""

import json
import pathlib
import sqlite3
import subprocess
import urllib.error
import urllib.request

import daemon

SCHEMA = pathlib.Path(
    "/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql")


class PowerDNS(daemon.Daemon):
    """pdns_server, authoritative for dns.test, or another zone.

    url        of the API, "http://127.0.0.1:PORT"
    key        that it wants
    address    "127.0.0.1:PORT", for resolvers
    """

    names = ("port", "api_port")
    key = "powerdns-secret-key"

    def __init__(self, zone="dns.test", soa_edit_api="DEFAULT"):
        self.zone = zone
        self.soa_edit_api = soa_edit_api
        self.launch()
        self.make(zone)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.api_port}"

    def prepare(self):
        database = self.dir / "pdns.db"
        database.unlink(missing_ok=True)
        with sqlite3.connect(database) as db:
            db.executescript(SCHEMA.read_text())
        (self.dir / "run").mkdir(exist_ok=True)
        (self.dir / "pdns.conf").write_text(f"""
launch=gsqlite3
gsqlite3-database={database}
gsqlite3-dnssec=yes
gsqlite3-pragma-synchronous=0
local-address=127.0.0.1
local-port={self.port}
socket-dir={self.dir}/run
setuid=
setgid=
daemon=no
guardian=no
disable-syslog=yes
write-pid=no
webserver=yes
webserver-address=127.0.0.1
webserver-port={self.api_port}
webserver-allow-from=127.0.0.1
api=yes
api-key={self.key}
zone-cache-refresh-interval=0
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
""")

    def command(self):
        return ["pdns_server", f"--config-dir={self.dir}"]

    def ready(self):
        try:
            return self.api("GET", "")[0] == 200
        except OSError:
            return False

    def api(self, method, path, body=None):
        """(status, answer) of /api/v1/servers/localhost + path."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/servers/localhost{path}", method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"X-API-Key": self.key})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def make(self, zone, kind="Native"):
        status, answer = self.api("POST", "/zones", {
            "name": zone + ".", "kind": kind,
            "nameservers": [f"ns1.{zone}."],
            "soa_edit_api": self.soa_edit_api})
        assert status == 201, answer
        self.set("ns1." + zone, "A", "127.0.0.1", zone=zone)

    def set(self, name, type, *values, ttl=60, zone=None, comments=None):
        """Behind the gateway's back; no values: the set goes."""
        rrset = {"name": name + ".", "type": type, "ttl": ttl,
                 "changetype": "REPLACE" if values else "DELETE",
                 "records": [{"content": value, "disabled": False}
                             for value in values]}
        if comments is not None:
            rrset["comments"] = comments
        status, answer = self.api("PATCH", f"/zones/{zone or self.zone}.",
                                  {"rrsets": [rrset]})
        assert status == 204, answer

    def sets(self, zone=None):
        """{(name, type): [content, …]}."""
        status, answer = self.api("GET", f"/zones/{zone or self.zone}.")
        assert status == 200, answer
        return {(rrset["name"][:-1], rrset["type"]):
                sorted(record["content"] for record in rrset["records"])
                for rrset in answer["rrsets"]}

    def query(self, name, type):
        """What the server itself answers, as dig +short has it."""
        dig = subprocess.run(
            ["dig", "+short", "+norecurse", "+time=2", "+tries=1",
             "-p", str(self.port), "@127.0.0.1", name, type],
            capture_output=True, text=True)
        return sorted(dig.stdout.split("\n")[:-1])
