"""
Stand-ins of DNS providers: strict about what they are asked, and failing as a
test tells them.
"""

import peer


class Provider(peer.Node):
    """One of t/peers/{cloudflare,digitalocean,webhook,dyndns}.js.

    url       of its API
    do(command, …)   see the head of its script
    fail(match, kind, times=1, skip=0, …)
        requests that match (a regular expression on "GET /path?query"):
        "throttle" (seconds), "status" (status, body, headers), "html",
        "truncate", "cut" (done, and half an answer), "vanish" (done, and none),
        "refuse", "change" (total, repeat, answer)
    log()     requests: method, url, status, body, headers
    """

    script = None

    def __init__(self, **options):
        super().__init__(self.script, **options)
        self.url = self.hello["url"]

    def do(self, command, **options):
        answer = self.ask(command=command, **options)
        assert "error" not in answer, answer["error"]
        return answer

    def fail(self, match, kind, **options):
        self.do("fault", fault={"match": match, "kind": kind, **options})

    def log(self, since=0):
        return self.do("log", since=since)["log"]

    def count(self, start):
        """Requests whose method and path begin so."""
        return sum(f"{entry['method']} {entry['url']}".startswith(start)
                   for entry in self.log())


class Cloudflare(Provider):
    script = "cloudflare.js"
    token = "cloudflare-token"

    def __init__(self, *zones):
        super().__init__()
        self.api = self.url + "/client/v4"
        self.ids = {}
        for name in zones or ("dns.test",):
            self.ids[name] = f"{len(self.ids) + 1:032x}"
            self.do("zone", zone={"id": self.ids[name], "name": name})

    def put(self, name, type, *values, zone="dns.test", ttl=300, **more):
        self.do("put", zone=self.ids[zone], records=[
            {"name": name, "type": type, "content": value, "ttl": ttl, **more}
            for value in values])

    def sets(self, zone="dns.test"):
        """{(name, type): [content, …]}."""
        sets = {}
        for record in self.do("dump", zone=self.ids[zone])["records"]:
            sets.setdefault((record["name"], record["type"]), []).append(
                record["content"])
        return {key: sorted(values) for key, values in sets.items()}


class DigitalOcean(Provider):
    script = "digitalocean.js"
    token = "digitalocean-token"

    def __init__(self, *zones):
        super().__init__()
        for name in zones or ("dns.test",):
            self.do("zone", zone={"name": name})

    def put(self, name, type, *values, zone="dns.test", ttl=300):
        """name as it is there: relative, "@" is the zone."""
        self.do("put", zone=zone, records=[
            {"name": name, "type": type, "data": value, "ttl": ttl}
            for value in values])

    def sets(self, zone="dns.test"):
        sets = {}
        for record in self.do("dump", zone=zone)["records"]:
            sets.setdefault((record["name"], record["type"]), []).append(
                record["data"])
        return {key: sorted(values) for key, values in sets.items()}


class Webhook(Provider):
    script = "webhook.js"

    def set(self, **settings):
        self.do("set", settings=settings)

    def sets(self):
        return {(endpoint["dnsName"], endpoint["recordType"]):
                sorted(endpoint["targets"])
                for endpoint in self.do("dump")["records"]}


class Dyndns(Provider):
    script = "dyndns.js"
    user = "user"
    password = "dyndns-password"

    def __init__(self, *hosts):
        super().__init__()
        self.update = self.url + "/nic/update"
        for host in hosts:
            self.do("host", name=host)

    def hosts(self):
        return self.do("dump")["hosts"]
