"""`python3 companion demo`: the command line from a bare checkout.

Makes the environment that the command needs, and hands over to the `payload_replay` in it.
"""

from __future__ import annotations

import os
import subprocess
import sys

import environment


def main(arguments: list[str]) -> int:
    try:
        python = str(environment.ensure(flavour_in(arguments)))
    except environment.SetupError as error:
        environment.say(f"error: {error}")
        return 2
    command = [python, "-m", "payload_replay", *arguments]
    surroundings = environment.clean_environment()
    if os.name == "posix":
        os.execve(python, command, surroundings)
    return subprocess.call(command, env=surroundings)


def flavour_in(arguments: list[str]) -> str:
    """What `--flavour` names; the command itself reads it again, and judges it."""
    for at, argument in enumerate(arguments):
        if argument.startswith("--flavour="):
            return argument.partition("=")[2]
        if argument == "--flavour" and at + 1 < len(arguments):
            return arguments[at + 1]
    return environment.FLAVOURS[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
