"""
The way out for tests that fetch packages: tests run in a network of their own
(see network.py), but those who started them do not.
"""

import os


def parent(pid):
    with open(f"/proc/{pid}/stat") as f:
        return int(f.read().rpartition(")")[2].split()[1])


def prefix():
    """Before a command: it runs in the network of our farthest ancestor."""
    pid, best = os.getpid(), None

    while pid:
        try:
            os.readlink(f"/proc/{pid}/ns/net")
            best = pid
        except PermissionError:
            pass
        pid = parent(pid)

    return ["nsenter", f"--net=/proc/{best}/ns/net"]
