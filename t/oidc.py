"""
Logins in tests: a real OpenID provider, and a browser that goes through them.
"""

import base64
import http.client
import json
import re
import ssl
import time
import urllib.parse

import manifest
import peer


CLIENT_SECRET = "the-secret-of-all-clients-of-this-test"
COOKIE_SECRET = "kPzM3vBq7nX1sWd9fGh2jLr6tYc4uEaZ0oIiVbNmQwE"
COOKIE_SECRET_2 = "Zt8rYw2QpLk5VbNxCs9DfGh3JmTa7EuRoIi1WqXvBnM"

# what no log may show
SECRETS = (CLIENT_SECRET, COOKIE_SECRET, COOKIE_SECRET_2)


class Provider(peer.Node):
    """An OpenID provider (t/peers/op.js).  Names that people log in by tell who
    they are: all but "guest…" are of group "devs", "admin…" of "admins" too,
    "big…" of 400 more; their address is NAME@example.test, of "out…"
    NAME@other.test, and of "unverified…" it is not verified.

    settings(alg) are those of a Secret of type torii/oauth2-provider.  Clients
    are app-rs, app-ps, app-es and app-ed, by the algorithm of their tokens.
    pair: it speaks TLS, with this certificate for 127.0.0.1.
    """

    def __init__(self, port=0, pair=None):
        tls = {"cert": pair.chain, "key": pair.key} if pair else {}
        super().__init__("op.js", secret=CLIENT_SECRET, port=port, **tls)
        self.issuer = self.hello["issuer"]
        self.port = self.hello["port"]

    def set(self, **values):
        """ttl (of access tokens, s), down (answers 503), delay (ms, of the
        token endpoint), gateway {port, host} (of back-channel logout)."""
        self.ask(command="set", values=values)

    def counts(self):
        """{path or grant: how often}"""
        return self.ask(command="counts")["counts"]

    def logout_token(self):
        """The body of the last back-channel logout."""
        return self.ask(command="counts")["token"]

    def clear(self):
        self.ask(command="clear")

    def sign(self, by="es", header=None, **claims):
        """An access token of "alice" for the audience "api", which is good
        for five minutes; None takes a claim out."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "api", "sub": "alice",
                  "iat": now, "exp": now + 300, "groups": ["devs"],
                  "email": "alice@example.test", "email_verified": True,
                  **claims}
        return self.ask(command="sign", by=by, header=header or {}, claims={
            k: v for k, v in claims.items() if v is not None})["token"]

    def settings(self, alg="es", **more):
        out = {
            "provider": "oidc",
            "oidc-issuer-url": self.issuer,
            "client-id": f"app-{alg}",
            "client-secret": CLIENT_SECRET,
            "cookie-secret": COOKIE_SECRET,
            "scope": "openid email profile groups offline_access",
            "allow-insecure-loopback": "true",
            "email-domain": "*",
        }
        out.update({k.replace("_", "-"): v for k, v in more.items()})
        return out


def secret(name, settings, namespace="default"):
    return manifest.secret(name, settings, namespace,
                           type="torii/oauth2-provider")


class Jar:
    """Cookies as a browser keeps them, with the rules for "__Host-"."""

    def __init__(self):
        self.cookies = {}           # (host, path, name): (value, domain)

    def take(self, host, path, lines, secure):
        for line in lines:
            first, *rest = [p.strip() for p in line.split(";")]
            name, _, value = first.partition("=")
            attributes = {}
            for text in rest:
                key, _, v = text.partition("=")
                attributes[key.lower()] = v

            if name.startswith("__Host-"):
                assert "secure" in attributes, line
                assert attributes.get("path") == "/", line
                assert "domain" not in attributes, line

            if "secure" in attributes:
                assert secure, line

            assert len(line) <= 4096, line

            where = attributes.get("path") or path.rpartition("/")[0] or "/"
            domain = attributes.get("domain", "").lstrip(".")
            key = (domain or host, where, name)

            if attributes.get("max-age") == "0" or not value \
                    or "1970" in attributes.get("expires", ""):
                self.cookies.pop(key, None)
            else:
                self.cookies[key] = (value, bool(domain))

    def line(self, host, path):
        found = [f"{name}={value}"
                 for (of, where, name), (value, domain)
                 in self.cookies.items()
                 if (host == of or domain and host.endswith("." + of))
                 and (path == where or path.startswith(
                      where if where.endswith("/") else where + "/"))]
        return "; ".join(found)

    def names(self, host):
        return [name for of, _, name in self.cookies if of == host]


class Browser:
    """A browser at a gateway and a provider.

        browser = oidc.Browser(gateway)
        page = browser.login(f"https://a.test:{gateway.tls}/deep?x=1", "alice")
        assert page.status == 200 and page.url.endswith("/deep?x=1")
    """

    NAVIGATE = (("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate"),
                ("Sec-Fetch-Dest", "document"))

    def __init__(self, gateway, h2=False):
        self.gateway = gateway
        self.jar = Jar()
        self.h2 = h2
        self.seen = []              # URLs, in order

    def open(self, url, method="GET", body=None, headers=NAVIGATE):
        """One request, redirects are not followed; the answer has its url."""
        parts = urllib.parse.urlsplit(url)
        target = parts.path or "/"
        if parts.query:
            target += "?" + parts.query

        self.seen.append(url)
        headers = list(headers)
        line = self.jar.line(parts.hostname, parts.path or "/")
        if line:
            headers.append(("Cookie", line))
        if body is not None:
            headers.append(("Content-Type",
                            "application/x-www-form-urlencoded"))

        if parts.hostname == "127.0.0.1":
            answer = self.ask(parts, method, target, headers, body)
        else:
            tls = parts.scheme == "https"
            answer = self.gateway.request(
                method, target, host=parts.netloc, tls=tls,
                h2=self.h2 and tls, sni=parts.hostname, body=body,
                port=parts.port, headers=headers)

        self.jar.take(parts.hostname, parts.path or "/",
                      answer.all("Set-Cookie"), parts.scheme == "https")
        answer.url = url
        return answer

    @staticmethod
    def ask(parts, method, target, headers, body):
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=10,
                context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection(
                parts.hostname, parts.port, timeout=10)
        connection.request(method, target, body, dict(headers))
        reply = connection.getresponse()
        answer = peer_answer(reply)
        connection.close()
        return answer

    def follow(self, answer, stop=None):
        """Go where redirects lead; stop(url): but not there."""
        for _ in range(20):
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            url = urllib.parse.urljoin(answer.url, answer.location)
            if stop and stop(url):
                answer.next = url
                return answer
            answer = self.open(url)
        raise AssertionError(f"redirected for ever: {self.seen[-5:]}")

    def get(self, url, **how):
        return self.follow(self.open(url, **how))

    def login(self, url, name, stop=None):
        """Open a URL and log in where it asks for it."""
        return self.enter(self.follow(self.open(url), stop), name, stop)

    def enter(self, page, name, stop=None):
        """Fill in the provider's forms."""
        for _ in range(5):
            form = re.search(r'action="([^"]+)"', page.text)
            if page.status != 200 or "/interaction/" not in page.url \
                    or not form:
                return page
            asked = re.search(r'name="prompt" value="([^"]+)"', page.text)
            fields = {"prompt": asked.group(1)}
            if fields["prompt"] == "login":
                fields.update(login=name, password="x")
            page = self.follow(self.open(
                urllib.parse.urljoin(page.url, form.group(1)), "POST",
                urllib.parse.urlencode(fields).encode()), stop)
        raise AssertionError(f"still asked to log in at {page.url}")

    def callback(self, url, name):
        """Log in up to the callback, whose URL is returned."""
        page = self.login(url, name, stop=is_callback)
        return page.next


def header_of(token):
    """What a token says of its key."""
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def is_callback(url):
    return urllib.parse.urlsplit(url).path == "/oauth2/callback"


def peer_answer(reply):
    import client
    return client.Answer(reply.status, reply.getheaders(), reply.read(), 11)


def change(url, **parameters):
    """The URL with other parameters; None takes one out."""
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query))
    query.update(parameters)
    query = {k: v for k, v in query.items() if v is not None}
    return urllib.parse.urlunsplit(
        parts._replace(query=urllib.parse.urlencode(query)))


def in_one_second():
    """Sleep to the beginning of a second: sessions count in them."""
    time.sleep(1 - time.time() % 1)
