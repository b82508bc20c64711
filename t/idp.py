"""
Stand-ins for login services: strict ones with the faces of GitHub, GitLab and
Google, and one that does wrong.  Both send a browser back at once.
"""

import urllib.parse

import oidc
import peer


class Service(peer.Node):

    def __init__(self, script):
        super().__init__(script, secret=oidc.CLIENT_SECRET)
        self.port = self.hello["port"]

    def set(self, **values):
        """person (who logs in), faults {path: {status, type, headers, body (or
        size, of so many bytes), delay (ms), cut}}, how (see Fake)."""
        self.ask(command="set", values=values)

    def clear(self):
        self.ask(command="clear")

    def counts(self):
        """{path: how often}"""
        return self.ask(command="told")["counts"]

    def wrong(self):
        """What was asked that a strict service would not have taken."""
        return self.ask(command="told")["wrong"]

    def settings(self, provider, issuer, **more):
        out = {
            "provider": provider,
            "oidc-issuer-url": issuer,
            "client-id": "app",
            "client-secret": oidc.CLIENT_SECRET,
            "cookie-secret": oidc.COOKIE_SECRET,
            "allow-insecure-loopback": "true",
        }
        out.update({k.replace("_", "-"): v for k, v in more.items()})
        return out


class Social(Service):
    """t/peers/social.js.  A person is, at GitHub, id, login, emails, orgs and
    teams ["org:team", …]; at GitLab sub, email, email_verified, groups and
    projects {path: {level, inherited, archived}}; at Google sub, email,
    email_verified and hd.  denied: the token endpoint says no, by 200.
    """

    def __init__(self):
        super().__init__("social.js")
        self.base = self.hello["base"]

    def asked(self):
        """The "hd" that was asked for."""
        return self.ask(command="asked")["hd"]


class Fake(Service):
    """t/peers/fakeop.js.  how: claims and header (of the ID token; null takes
    one out), sign ("none", "other" key, "zero", "der", "hmac"), twice (a claim
    that is there two times), jwks ("huge", "twice", "other"), clock
    (s ahead), kids (each token has a key of its own), userinfo (claims),
    refresh (a token that comes along), expires (s, of the access token).
    """

    def __init__(self):
        super().__init__("fakeop.js")
        self.issuer = self.hello["issuer"]

    def sign(self, **claims):
        """A token as the provider signs it now."""
        return self.ask(command="sign", claims=claims)["token"]


def cookies(browser, url):
    """Of a session: those of a login that goes on are not."""
    host = urllib.parse.urlsplit(url).hostname
    return [name for name in browser.jar.names(host) if ".s." not in name]
