"""
Private keys of RSA take the processor for seconds: meanwhile the helper does
what it is there for, and ends when it is told to.
"""

import os
import signal
from pathlib import Path

import pytest

import issuing
import nginx
from issuing import issuer, site


GATEWAY = dict(http=issuing.EAGER)
SIZE = {issuing.PREFIX + "private-key-size": "4096"}


@pytest.fixture
def wait_for_keys(gateway, echo):
    """wait_for_keys(*hosts): certificates of these, which are not there yet."""
    gateway.apply("self", issuer("self", spec={"selfSigned": {}}))

    def run(*hosts):
        gateway.put("keys", *[site(host, echo[0], by="self", annotations=SIZE)
                              for host in hosts])
    yield run
    gateway.remove_objects("keys")


def there(gateway, *hosts):
    entries = issuing.certificates(gateway)
    return [host for host in hosts
            if entries.get("default/" + issuing.secret_of(host), {}).get(
                "state", "").lower() == "valid"]


def is_making(gateway):
    """The helper's process id, while a thread of it makes a key."""
    pid = gateway.helper_pid()
    threads = Path(f"/proc/{pid}/task")
    try:
        return pid if pid and len(list(threads.iterdir())) > 1 else None
    except FileNotFoundError:
        return None


def wait_making(gateway):
    return nginx.wait_until(lambda: is_making(gateway),
                            lambda: f"a thread; {issuing.report(gateway)}")


def test_routes_are_published_while_keys_are_made(gateway, echo,
                                                  wait_for_keys):
    hosts = [f"k{i}.example" for i in range(8)]
    wait_for_keys(*hosts)
    wait_making(gateway)

    gateway.serve("route.example", echo[0])

    assert gateway.get("/", "route.example").status == 200
    assert is_making(gateway), "all keys were made before"
    assert len(there(gateway, *hosts)) < len(hosts)
    nginx.wait_until(lambda: len(there(gateway, *hosts)) == len(hosts),
                     lambda: issuing.report(gateway), 90, every=0.1)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGQUIT])
def test_helper_ends_while_a_key_is_made(gateway, wait_for_keys, how):
    host = f"{how.name.lower()}.example"
    wait_for_keys(host)
    pid = wait_making(gateway)

    if how == signal.SIGQUIT:
        gateway.reload()
    else:
        os.kill(pid, how)

    nginx.wait_until(lambda: not nginx.alive(pid), lambda: f"{pid} to end")
    nginx.wait_until(lambda: there(gateway, host),
                     lambda: issuing.report(gateway), 60, every=0.1)
