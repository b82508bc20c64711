"""
The README's part that the code knows best: annotations, keys of the ConfigMap
and reasons of findings, as "torii annotations --json" and the sources say.

    reference.py            print that part
    reference.py --write    put it into README.md, between its marker comments
    reference.py --check    say whether README.md has it as it is today

The tool is objs/torii, or that of the folder TORII_OBJS.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
OBJS = pathlib.Path(os.environ.get("TORII_OBJS", ROOT / "objs"))
README = ROOT / "README.md"

BEGIN = "<!-- reference: begin (made by make reference) -->"
END = "<!-- reference: end -->"

TABLE = ("| name | state | default | what |", "|---|---|---|---|")
COLUMNS = 100
VALUE = 28          # of them for a default

# The first pattern that fits the beginning of a name gives its area.
AREAS = (
    ("Routing and rewriting",
     r"app-root|canary$|default-backend|enable-rewrite-log|rewrite-target"
     r"|server-alias|use-regex|x-forwarded-prefix|upstream-vhost"),
    ("Redirects and TLS towards clients",
     r"force-ssl|from-to-www|permanent|temporal|preserve-trailing|relative-re"
     r"|use-port|ssl-"),
    ("Access", r"allowlist|denylist|whitelist|enable-global-auth"),
    ("CORS", r"cors-|enable-cors"),
    ("Protocol and TLS towards backends",
     r"backend-protocol|fastcgi|proxy-ssl|proxy-http-version"
     r"|connection-proxy"),
    ("Bodies, buffers, timeouts, retries",
     r"client-body|proxy-(body|buffer|busy|connect|max|next|read|request|send)"),
    ("Response headers and error pages",
     r"custom-|proxy-(cookie|redirect)|disable-proxy|http2-push"),
    ("Choice of an endpoint",
     r"service-upstream|load-balance|upstream-hash"),
    ("Affinity", r"affinity|session-cookie"),
    ("Canary", r"canary-"),
    ("Login and client certificates",
     r"auth-|satisfy"),
    ("Limits of rate and number", r"limit-"),
    ("Mirror, tracing, logs, firewall",
     r"mirror|opentelemetry|enable-(access|open|mod|owasp)|modsecurity-t"),
    ("Snippets", r".*-snippet$"),
)


def settings(*arguments):
    text = subprocess.run([OBJS / "torii", "annotations", "--json",
                           *arguments], check=True, capture_output=True)
    return json.loads(text.stdout)


def area(name):
    if name.endswith("-snippet"):
        return "Snippets"
    return next(title for title, pattern in AREAS if re.match(pattern, name))


def state(row):
    """What becomes of it in a word or two, as the README explains them."""
    if row["state"] == "not yet":
        return "**not yet: 503**" if row["bad"] == "deny" else "not yet"
    if row["state"] == "enforced":
        return {"deny": "yes, 503", "off": "yes, off"}.get(row["bad"], "yes")
    return row["state"]


def cell(text):
    return text.replace("|", "\\|").replace("*", "\\*")


def line(row):
    """A row of a table; what is too long for it is cut, or moves together."""
    value = row["default"]
    shown = f"`{value}`" if value else ""

    if len(value) > VALUE:
        shown = f"`{value[:VALUE].rstrip(' ,')}`…"

    cells = (f"`{row['name']}`", state(row), shown, cell(row["help"]))
    out = f"| {' | '.join(cells)} |"

    return out if len(out) <= COLUMNS else f"|{'|'.join(cells)}|"


def wrap(text, indent=""):
    """A paragraph whose `words between these` are not torn apart."""
    text = re.sub(r"`[^`]*`", lambda found: found[0].replace(" ", "\0"), text)
    return [line.replace("\0", " ") for line in
            textwrap.wrap(text, COLUMNS, subsequent_indent=indent,
                          break_on_hyphens=False)]


def annotations():
    """A table of the areas that something is enforced of, a list of others."""
    rows = settings()
    rest = {}
    out = ["### Annotations", "",
           f"All {len(rows)} names that are known, without their prefix "
           "`nginx.ingress.kubernetes.io/`.", "", *TABLE]

    for title, _ in AREAS:
        here = [row for row in rows if area(row["name"]) == title]

        if any(row["state"] == "enforced" for row in here):
            out += [f"| **{title}** | | | |", *map(line, here)]
            continue

        for row in here:
            rest.setdefault((title, state(row)), []).append(f"`{row['name']}`")

    out += ["", "Areas that nothing is enforced of:", ""]

    for (title, now), names in rest.items():
        out += wrap(f"- {title}, {now}: {', '.join(names)}.", "  ")

    return out


def certificates():
    return ["### Annotations about certificates", "",
            "Of Ingresses with `spec.tls`; those of `torii/`, and "
            "`issue-temporary-certificate`, of",
            "Certificates too, and `torii/acme-challenge` of issuers. While "
            "a value is wrong, nothing is",
            "issued, and what was issued is kept.", "",
            *TABLE, *map(line, settings("--certificates"))]


def logins():
    return ["### Annotations about logins", "",
            "Torii's own, besides `auth-url` and the others above. While a "
            "value is wrong, all paths",
            "of the Ingress answer 503.", "",
            *TABLE, *map(line, settings("--logins"))]


def config():
    rows = settings("--config")

    def of(*states):
        return [row for row in rows if row["state"] in states]

    def names(found):
        return wrap(", ".join(f"`{row['name']}`" for row in found) + ".")

    deny = [row for row in of("not yet") if row["bad"] == "deny"]
    later = [row for row in of("not yet") if row["bad"] != "deny"]
    machine = of("nginx.conf")
    same = [row for row in machine
            if row["name"].replace("-", "_") == row["help"]]
    here = {}

    for row in machine:
        if row not in same:
            here.setdefault(row["help"], []).append(f"`{row['name']}`")

    text = "; ".join(f"{', '.join(keys)} → `{where}`"
                     for where, keys in here.items()) + "."

    return ["### Keys of the ConfigMap", "",
            "Besides these, each annotation's name that may be a default for "
            "all Ingresses is a key, as",
            "`proxy-body-size` is.", "",
            *TABLE, *map(line, of("enforced") + deny), "",
            "Left to nginx.conf, under the same name with underscores:", "",
            *names(same), "",
            "Left to nginx.conf, key → what to write there:", "",
            *wrap(text), "",
            "Not yet, and a note says so when one is set to something other "
            "than its default:", "", *names(later), "",
            "Never, because they have no meaning here:", "",
            *names(of("never"))]


def reasons():
    """The reasons of all findings that the code can make."""
    found = set()

    for path in (*ROOT.glob("ingress/*.c"),
                 *ROOT.glob("ngx_module/ngx_torii_*.c")):
        text = path.read_text()

        for place in (r"INGRESS_(?:ERROR|WARNING|INFO),([^,;]*),",
                      r"\b(?:reason|held) = ([^;]*);",
                      r"_notice_add\([^,;]*,[^,;]*,([^,;]*),",
                      r"_trouble\([^,;]*,[^,;]*,([^,;]*),"):
            for argument in re.findall(place, text):
                found.update(re.findall(r'"([A-Z]\w+)"', argument))

    return found


def options():
    """Keys of a login provider's Secret that may have more than one value."""
    out = []

    for path in ROOT.glob("oauth2/oauth2_settings*.c"):
        out += re.findall(r'^    (?:OAUTH2_(?:TEXT|SECONDS|HEADER|FLAG|STRINGS'
                          r'|LIST|RULE)\(|\{ )"([a-z0-9-]+)"',
                          path.read_text(), re.M)

    return out


def part():
    return "\n".join([BEGIN, "", *annotations(), "",
                      *logins(), "", *certificates(), "", *config(), "",
                      END])


def replace(readme):
    before, _, rest = readme.partition(BEGIN)
    _, found, after = rest.partition(END)

    if not found:
        sys.exit("README.md has no place for the reference")

    return before + part() + after


def check():
    """What is wrong with the README's part, as a list of texts."""
    readme = README.read_text()
    faults = []

    if (OBJS / "torii").exists() and replace(readme) != readme:
        faults.append("has not the reference of today: run \"make reference\"")

    faults += [f"does not tell of the reason {reason}"
               for reason in sorted(reasons()) if f"`{reason}`" not in readme]

    faults += [f"does not tell of the login provider's key {name}"
               for name in options() if f"`{name}`" not in readme]

    return faults


def main():
    if sys.argv[1:] == ["--write"]:
        README.write_text(replace(README.read_text()))

    elif sys.argv[1:] == ["--check"]:
        print("\n".join(check()))

    else:
        print(part())


if __name__ == "__main__":
    main()
