"""Write the lock files from the .in files: `python3 requirements/lock.py [uv options]`.

Needs `uv` on PATH. One resolution per flavour serves every Python from 3.10 on, by environment
markers; what both flavours and the project share has the same version everywhere, so that the
files can be installed together in one go and without a resolver.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FLAVOURS = ("a1111", "forge")
HEAD = "# Written by requirements/lock.py from {name}.in; change that file, not this one.\n"
NOT_A_HOST = "sys_platform != 'emscripten'"


def resolve(*names: str, options: list[str]) -> list[str]:
    """Every package that these .in files need, one pin a line."""
    command = ["uv", "pip", "compile", "--quiet", "--no-annotate", "--no-header"]
    command += ["--universal", "--python-version", "3.10", "--fork-strategy", "fewest"]
    command += ["--only-binary", ":all:", "--override", "overrides.in", *options]
    command += [f"{name}.in" for name in names]
    done = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True)
    lines = [line.replace(f" ; {NOT_A_HOST}", "") for line in done.stdout.splitlines()]
    return [line for line in lines if line]


def name_of(pin: str) -> str:
    return pin.split("==")[0]


def named(pins: list[str]) -> set[str]:
    return {name_of(pin) for pin in pins}


def write(name: str, pins: set[str]) -> None:
    text = HEAD.format(name=name) + "".join(f"{pin}\n" for pin in sorted(pins))
    (HERE / f"{name}.txt").write_text(text, encoding="utf-8", newline="\n")


def main(options: list[str]) -> int:
    whole = {
        flavour: set(resolve(flavour, "project", "test", options=options)) for flavour in FLAVOURS
    }
    hosts = {flavour: named(resolve(flavour, options=options)) for flavour in FLAVOURS}
    for flavour in FLAVOURS:
        write(flavour, {pin for pin in whole[flavour] if name_of(pin) in hosts[flavour]})
    both = hosts["a1111"] & hosts["forge"]
    project = named(resolve("project", options=options)) - both
    test = named(resolve("test", options=options)) - both - project
    pins = whole["a1111"] | whole["forge"]
    write("project", {pin for pin in pins if name_of(pin) in project})
    write("test", {pin for pin in pins if name_of(pin) in test})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
