"""
README.md tells the truth: its examples are run as they stand there.

What is run is marked behind the language of a fenced block:

    nginx conf      a whole nginx.conf
    nginx http      a piece for the http block
    nginx server    a piece for the server with "torii on"
    console test    commands behind "$ " and what they print; "…" is anything
    yaml            objects, if the first line is "# NAME.yaml"
    yaml acme       the same, for a gateway that gets certificates: from a
    console acme    Pebble where a CA is named; what commands print there is
                    waited for

Objects lie in "manifests" below the folder in which commands are run, and in
that of a gateway that answers on the usual ports, as far as curl can tell.
"""

import base64
import contextlib
import os
import re
import subprocess
import textwrap

import pytest

import bind
import gateway as gateways
import nginx
import pebble
import reference


README = reference.README.read_text()
BLOCKS = re.findall(r"^```(.+)\n((?s:.*?))^```$", README, re.M)


def blocks(kind):
    return [text for found, text in BLOCKS if found == kind]


def files(kind):
    return {text.split("\n")[0].removeprefix("# "): text
            for text in blocks(kind) if text.startswith("# ")}


FILES = files("yaml")


GATEWAY = {"server": "\n".join(blocks("nginx server"))}


def commands(kind):
    """(command, output) of all console examples of a kind."""
    for text in blocks(kind):
        for piece in re.split(r"^\$ ", text, flags=re.M)[1:]:
            lines = piece.split("\n")
            n = 1
            while n < len(lines) and lines[n].startswith("    "):
                n += 1
            yield "\n".join(lines[:n]), "\n".join(lines[n:])


def expected(output):
    """A pattern of the output; spaces at the end of a line count for none."""
    lines = [re.escape(line.rstrip()) for line in output.rstrip().split("\n")]
    return "\n".join(lines).replace("…", ".*?")


def served(text, echo):
    return (text.replace("127.0.0.1", echo[0].host)
            .replace("8081", str(echo[0].port)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder that commands are run in."""
    path = tmp_path_factory.mktemp("readme")
    (path / "manifests").mkdir()
    for name, text in FILES.items():
        (path / "manifests" / name).write_text(text)
    return path


@pytest.fixture(scope="module")
def shell(gateway, echo_backend, folder):
    """Runs a command as an operator would, and returns what it prints."""
    for name, text in FILES.items():
        gateway.write(name, served(text, echo_backend))
    gateway.apply("mark", [])

    return shell_in(folder, gateway)


def shell_in(folder, gateway):
    (folder / ".curlrc").write_text("".join(
        f'connect-to = ":{port}:127.0.0.1:{at}"\n' for port, at in
        ((80, gateway.plain), (443, gateway.tls), (9180, gateway.admin))))

    environment = dict(
        os.environ, HOME=str(folder), CURL_HOME=str(folder), LC_ALL="C.UTF-8",
        PATH=f"{gateways.OBJS.resolve()}:{os.environ['PATH']}")

    def run(command):
        done = subprocess.run(["bash", "-c", command], cwd=folder, text=True,
                              env=environment, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return "\n".join(line.rstrip() for line in
                         done.stdout.rstrip().split("\n"))

    return run


def authority_of(text, ca):
    """Objects whose issuer asks a CA of ours."""
    root = base64.b64encode(ca.bundle.encode()).decode()
    text = re.sub(r"\n +caBundle: .*", "", text)
    return re.sub(r"(\n +)server: https://.*",
                  rf"\1server: {ca.directory}\1caBundle: {root}", text)


@pytest.fixture(scope="module")
def acme_shell(echo_backend, authority):
    """As shell, in the folder of a gateway that gets certificates."""
    objects = files("yaml acme")
    eab = {re.search(r"keyID: (\S+)", objects["corporate.yaml"])[1]:
           re.search(r"\n  secret: (\S+)", objects["corporate.yaml"])[1]}

    with contextlib.ExitStack() as stack:
        def started(made):
            stack.callback(made.stop)
            return made

        zone = started(bind.Bind("example.org"))
        made = gateways.Gateway(http=f"torii_resolver {zone.address};")
        stack.callback(made.remove)
        made.start()
        cas = {"letsencrypt.yaml": {}, "corporate.yaml": {"eab": eab},
               "wildcard.yaml": {"resolver": zone.address}}

        made.write("site.yaml", served(FILES["site.yaml"], echo_backend))

        for name, text in objects.items():
            if name in cas:
                text = authority_of(text, started(pebble.Pebble(
                    authority, made.plain, made.tls, **cas[name])))
            text = text.replace("ns1.example.org:53", zone.address)
            made.write(name, re.sub(r"(name: acme-key\n.*\n.*\n  secret: ).*",
                                    rf"\g<1>{zone.secret}", text))

        run = shell_in(made.dir, made)
        yield lambda command: run(
            command.replace("/var/lib/torii", str(made.state))
            .replace("torii certificates",
                     f"torii certificates --state {made.state}"))


class Whole(nginx.Nginx):
    """The README's nginx.conf, with folders and ports of this test."""

    def config(self):
        conf, = blocks("nginx conf")
        temp = " ".join(f"{name}_temp_path @dir@/temp/{name};" for name in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))

        for here, there in (
                ("modules/ngx_http_torii_module.so", str(gateways.MODULE)),
                ("/var/lib/torii", "@dir@/state"),
                ("/etc/torii", "@dir@"),
                ("listen 80", "listen 127.0.0.1:@plain@"),
                ("listen 443", "listen 127.0.0.1:@tls@"),
                ("127.0.0.1:9180", "127.0.0.1:@admin@"),
                ("http {", f"http {{ {temp} access_log @dir@/access.log;")):
            assert conf.count(here) == 1, here
            conf = conf.replace(here, there)

        if os.getuid() != 0:
            conf = conf.replace("user www-data;", "")

        return f"{conf}\npid @dir@/nginx.pid;\nerror_log @dir@/error.log;\n"


def test_whole_configuration_serves_the_first_objects(echo):
    made = Whole(workers=1)
    (made.dir / "manifests").mkdir()
    (made.dir / "manifests/site.yaml").write_text(
        served(FILES["site.yaml"], echo))

    try:
        made.start()
        nginx.wait_until(
            lambda: made.get("/readyz", port=made.admin).status == 200,
            "the first table")
        nginx.wait_until(
            lambda: made.get("/", host="site.example").status == 200,
            "the site")
        assert made.get("/", host="site.example", tls=True).status == 200
    finally:
        made.remove()


def test_pieces_of_configuration_are_understood():
    pieces = "\n".join(blocks("nginx http")).replace("/var/log/nginx", "@dir@")
    made = gateways.Gateway(http=pieces, wait=False)

    try:
        made.start()
    finally:
        made.remove()


@pytest.mark.parametrize("command, output", commands("console test"),
                         ids=lambda text: textwrap.shorten(text, 60))
def test_command_prints_what_is_written(shell, command, output):
    printed = shell(command)
    assert re.fullmatch(expected(output), printed), printed


@pytest.mark.parametrize("command, output", commands("console acme"),
                         ids=lambda text: textwrap.shorten(text, 60))
def test_command_about_certificates_comes_to_print_it(acme_shell, command,
                                                      output):
    printed = []

    def same():
        printed.append(acme_shell(command))
        return re.fullmatch(expected(output), printed[-1])

    nginx.wait_until(same, lambda: printed[-1], 30, every=0.2)


def test_reference_is_of_today():
    assert reference.check() == []
