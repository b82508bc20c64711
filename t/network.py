"""
Addresses for backends.  A Kubernetes API server refuses endpoints on the
loopback network, so backends listen elsewhere: as root in a network namespace
of this process, where every address of 10.244.0.0/16 is ours and no port is
anybody else's; otherwise on an address that the machine has.
"""

import contextlib
import ctypes
import os
import socket
import subprocess

import pytest


CLONE_NEWNET = 0x40000000
NETWORK = "10.244.0.0/16"

# Where backends listen; set by enter().
POD = "127.0.0.1"


def enter():
    """To be called once, before anything listens: nothing of the world outside
    is reachable afterwards, if this is root's."""
    global POD

    libc = ctypes.CDLL(None, use_errno=True)

    if os.getuid() == 0 and libc.unshare(CLONE_NEWNET) == 0:
        run("link", "set", "lo", "up")
        run("route", "add", "local", NETWORK, "dev", "lo")
        POD = "10.244.0.1"
        return

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("192.0.2.1", 9))
        POD = s.getsockname()[0]


def run(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextlib.contextmanager
def another_address(address):
    """On an interface of the machine, which may be not ours to change."""
    def change(how):
        return subprocess.run(["ip", "address", how, f"{address}/32", "dev",
                               "lo"], capture_output=True).returncode == 0

    if not change("add"):
        pytest.skip("addresses cannot be added to an interface here")
    try:
        yield
    finally:
        change("del")
