"""
Control groups for tests that run containers.  A machine has them mounted; a
chroot, or a container without privileges to give away, often has not.
"""

import ctypes
import os
import pathlib
import subprocess


CLONE_NEWNS = 0x20000
ROOT = pathlib.Path("/sys/fs/cgroup")


def mounted():
    return any(line.split(" ")[2].startswith("cgroup")
               for line in open("/proc/mounts"))


def hierarchies():
    """Controllers of each version 1 hierarchy, "cpu,cpuacct"; none of them if
    the machine has all in version 2."""
    found = {}

    for line in open("/proc/cgroups"):
        name, hierarchy, _, _ = line.split()
        if not name.startswith("#") and hierarchy != "0":
            found.setdefault(hierarchy, []).append(name)

    return [",".join(names) for names in found.values()]


def mount():
    """For this thread and what it starts: control groups where they belong.
    Nobody else sees these mounts, and they go with us."""
    if mounted():
        return

    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace")

    run("--make-rprivate", "/sys")

    if not hierarchies():
        run("-t", "cgroup2", "cgroup2", ROOT)
        return

    run("-t", "tmpfs", "tmpfs", ROOT)
    for names in hierarchies():
        (ROOT / names).mkdir()
        run("-t", "cgroup", "-o", names, "cgroup", ROOT / names)


def run(*arguments):
    subprocess.run(["mount", *map(os.fspath, arguments)], check=True,
                   capture_output=True)
