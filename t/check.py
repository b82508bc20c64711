"""Style and drift guards: what a reviewer should not have to look for.

Prints one line a fault, "FILE:LINE: what is wrong", and exits 1 if there are
any.
"""

import pathlib
import re
import subprocess
import sys

import reference

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ("lib", "ingress", "acme", "dnssync", "oauth2", "tool")

faults = []


def fault(path, line, text):
    faults.append(f"{path}:{line}: {text}")


def tracked(*patterns):
    """Files that git knows or would add; without git, all but what is built."""
    git = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard",
         *patterns], cwd=ROOT, capture_output=True, text=True)
    if git.returncode == 0:
        names = git.stdout.split()
    else:
        names = [str(path.relative_to(ROOT)) for pattern in patterns
                 for path in sorted(ROOT.rglob(pattern.split("/")[-1]))
                 if "objs" not in path.parts
                 and "node_modules" not in path.parts
                 and (path.relative_to(ROOT).match(pattern))]

    return [name for name in names if (ROOT / name).is_file()]


def check_c(name):
    text = (ROOT / name).read_text()
    lines = text.split("\n")

    if lines[0] != "" or not lines[1].startswith("/*"):
        fault(name, 1, "begins with an empty line and a comment that says "
                       "what the file is for")

    if not text.endswith("\n") or text.endswith("\n\n"):
        fault(name, len(lines), "ends with one newline")

    for number, line in enumerate(lines, 1):
        if len(line) > 80:
            fault(name, number, f"{len(line)} columns, 80 are the limit")
        if "\t" in line:
            fault(name, number, "a tab")
        if line != line.rstrip():
            fault(name, number, "blanks at the end")
        if re.search(r"(^|[^:\"'])//", line) and not re.search(
                r"[\"'*]", line):
            fault(name, number, "a // comment")
        if re.match(r"\s*(if|for|while|switch)\(", line):
            fault(name, number, "a blank goes before the parenthesis")

    if name.endswith(".h"):
        guard = "_" + pathlib.Path(name).stem.upper() + "_H_INCLUDED_"
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            fault(name, 1, f"header guard {guard}")

    if name.split("/")[0] in ROOMS:
        for number, line in enumerate(lines, 1):
            if "ngx_" in line and "nginx.conf" not in line:
                fault(name, number, "a name of nginx outside ngx_module/")


def check_unique():
    seen = {}
    for name in tracked("*.c"):
        stem = pathlib.Path(name).stem
        if stem in seen:
            fault(name, 1, f"has the name of {seen[stem]}")
        seen[stem] = name


def check_arrows():
    """ngx_module -> rooms -> lib; no room includes another."""
    for name in tracked("*.c", "*.h"):
        room = name.split("/")[0]
        for number, line in enumerate(
                (ROOT / name).read_text().split("\n"), 1):
            found = re.match(r'#include "(\w+)"?', line)
            if not found:
                continue
            other = found.group(1).split("_")[0]
            if room == "lib" and other != "torii":
                fault(name, number, f"lib includes {other}")
            if (room in ROOMS and room not in ("lib", "tool")
                    and other in ROOMS and other != room):
                fault(name, number, f"{room} includes {other}")


def check_readme():
    readme = (ROOT / "README.md").read_text()

    module = (ROOT / "ngx_module/ngx_http_torii_module.c").read_text()
    for directive in re.findall(r'ngx_string\("(torii[a-z_]*)"\),\n\s+NGX',
                                module):
        if directive in ("torii_balancer", "torii_routes"):
            continue
        if not re.search(rf"^### .*\b{directive}\b", readme, re.M):
            fault("README.md", 1, f"does not tell of directive {directive}")

    for number, line in enumerate(readme.split("\n"), 1):
        if len(line) > 100 and not line.startswith("|"):
            fault("README.md", number, f"{len(line)} columns, 100 are the "
                                       "limit")

    for text in reference.check():
        fault("README.md", 1, text)

    makefile = (ROOT / "Makefile").read_text()
    for target in ("run", "test", "bench", "asan", "fuzz", "check", "reference",
                   "clean"):
        if not re.search(rf"^{target}:", makefile, re.M):
            fault("Makefile", 1, f"has no target {target}")
        if f"make {target}" not in readme:
            fault("README.md", 1, f"does not tell of \"make {target}\"")


def check_seeds():
    for name in tracked("t/fuzz/*.c"):
        stem = pathlib.Path(name).stem.removeprefix("fuzz_")
        if not list((ROOT / "t/fuzz/seeds" / stem).glob("*")):
            fault(name, 1, f"has no seeds in t/fuzz/seeds/{stem}")


def main():
    for name in tracked("*.c", "*.h"):
        check_c(name)

    check_unique()
    check_arrows()
    check_seeds()
    check_readme()

    print("\n".join(faults) or "style and drift: nothing to say")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
