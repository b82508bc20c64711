"""
A real browser in tests: Debian's Chromium, by playwright.
"""

import itertools

import peer


class Browser(peer.Node):
    """Chromium, without a window.  *.test is this machine.

        person = browser.person()
        page = person.login(f"https://a.test:{gateway.tls}/deep?x=1", "alice")
        assert page.status == 200 and page.url.endswith("/deep?x=1")
    """

    def __init__(self, issuer):
        super().__init__("browser.js", issuer=issuer)
        self.serial = itertools.count(1)

    def person(self):
        return Person(self, f"p{next(self.serial)}")

    def do(self, command, profile, **options):
        answer = self.ask(command=command, profile=profile, **options)
        assert "error" not in answer, answer["error"]
        return answer


class Page:
    """What is shown in the end: url, status, title, and the text of it."""

    def __init__(self, answer):
        self.url, self.status = answer["url"], answer["status"]
        self.title, self.text = answer["title"], answer["text"]

    def __repr__(self):
        return f"<{self.status} {self.url} {self.text[:300]!r}>"


class Person:
    """Somebody at a browser of his own, or a further tab of his."""

    def __init__(self, browser, profile):
        self.browser, self.profile = browser, profile
        self.tabs = itertools.count(2)

    def tab(self):
        return Person(self.browser, f"{self.profile}/{next(self.tabs)}")

    def do(self, command, **options):
        return self.browser.do(command, self.profile, **options)

    def open(self, url):
        return Page(self.do("open", url=url))

    def login(self, url, name):
        """Open a URL, and log in if that leads to the provider's form."""
        return Page(self.do("login", url=url, name=name))

    def enter(self, name):
        """Log in by the form that is shown."""
        return Page(self.do("enter", name=name))

    def click(self, selector):
        return Page(self.do("click", selector=selector))

    def run(self, script):
        """The value of the body of an async function, run in the page."""
        return self.do("run", script=script).get("value")

    def wait(self, script):
        """Until an expression is true in the page."""
        self.do("wait", script=script)

    def fetch(self, target, method="GET", headers=None, body="undefined"):
        """What a script of the page gets: (status, text)."""
        return self.run(f"""
            const r = await fetch({target!r}, {{ method: {method!r},
                headers: {headers or {}!r}, body: {body} }});
            return [r.status, await r.text()];""")

    def cookies(self):
        """{name: cookie} of all hosts."""
        return {c["name"]: c for c in self.do("cookies")["cookies"]}

    def close(self):
        self.do("close")
