"""
README.md tells the truth: its examples are run as they stand there.

What is run is marked behind the language of a fenced block:

    nginx conf      a whole nginx.conf
    nginx http      a piece for the http block
    nginx server    a piece for the server with "torii on"
    console test    commands behind "$ " and what they print; "…" is anything
    yaml            objects, if the first line is "# NAME.yaml"

Objects lie in "manifests" below the folder in which commands are run, and in
that of a gateway that answers on the usual ports, as far as curl can tell.
"""

import os
import re
import subprocess
import textwrap

import pytest

import gateway as gateways
import nginx
import reference


README = reference.README.read_text()
BLOCKS = re.findall(r"^```(.+)\n((?s:.*?))^```$", README, re.M)
FILES = {text.split("\n")[0].removeprefix("# "): text
         for kind, text in BLOCKS
         if kind == "yaml" and text.startswith("# ")}


def blocks(kind):
    return [text for found, text in BLOCKS if found == kind]


GATEWAY = {"server": "\n".join(blocks("nginx server"))}


def commands():
    """(command, output) of all console examples."""
    for text in blocks("console test"):
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


@pytest.mark.parametrize("command, output", commands(),
                         ids=lambda text: textwrap.shorten(text, 60))
def test_command_prints_what_is_written(shell, command, output):
    printed = shell(command)
    assert re.fullmatch(expected(output), printed), printed


def test_reference_is_of_today():
    assert reference.check() == []
