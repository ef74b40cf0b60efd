"""The project's own environments: `.venv/a1111` and `.venv/forge`, built from the lock files.

Standard library only, since it runs before anything is installed. Every step may be repeated:
what is already there is left alone, what was left half done is done again.

    python3 companion/environment.py --flavour a1111 [--tests] [--browser]

prints what it does on stderr, and the path of the environment's Python on stdout.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
FLAVOURS = ("a1111", "forge")
"""The environments; each is called by the flavour that it was first made for."""
SHARING = {"reforge": "a1111"}
"""Flavours that run in the environment of another one."""
RUNTIME = ("{flavour}", "project")
TESTS = ("test",)
PYTHONS = ((3, 10), (3, 13))
"""The oldest and the newest Python for which every pinned package has a wheel."""
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STAMP_FORMAT = 1


class SetupError(Exception):
    """Why the environment can't be made, and what to do about it."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def ensure(flavour: str, tests: bool = False, root: Path = ROOT) -> Path:
    """The Python of `.venv/<flavour>`, with what the demo needs, and the tests' tools if asked."""
    flavour = SHARING.get(flavour, flavour)
    if flavour not in FLAVOURS:
        known = ", ".join([*FLAVOURS, *SHARING])
        raise SetupError(f"unknown flavour {flavour!r}: choose one of {known}")
    base = suitable_python()
    home = root / ".venv" / flavour
    home.parent.mkdir(exist_ok=True)
    with locked(home.parent / f"{flavour}.lock", f"{flavour}: waiting for another setup to end"):
        python = ensure_base(home, base)
        install(home, "runtime", [name.format(flavour=flavour) for name in RUNTIME], root)
        if tests:
            install(home, "tests", list(TESTS), root)
        link_sources(home, root)
    return python


def suitable_python() -> str:
    """This Python, or else one on PATH for which the pinned packages exist.

    Of an environment's Python the one that it was made of: it may be the one to be replaced.
    """
    oldest, newest = PYTHONS
    if oldest <= sys.version_info[:2] <= newest:
        base: str = getattr(sys, "_base_executable", "") or sys.executable
        return base
    for minor in range(newest[1], oldest[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and works([found, "-c", "import venv"]):
            say(f"using {found}, since this is Python {platform.python_version()}")
            return found
    raise SetupError(
        "the pinned webui packages exist for Python "
        f"{'.'.join(map(str, oldest))} to {'.'.join(map(str, newest))}; this is "
        f"{platform.python_version()} and PATH has none of them. Install one, for instance "
        f"python{'.'.join(map(str, newest))}, and run the same command again."
    )


def works(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    return done.returncode == 0


# The environment itself


def python_of(home: Path) -> Path:
    if os.name == "nt":
        return home / "Scripts" / "python.exe"
    return home / "bin" / "python"


def ensure_base(home: Path, base: str) -> Path:
    """An environment that starts and has pip; one of another Python or place is made anew."""
    python = python_of(home)
    version = describe(base)
    wanted = {"format": STAMP_FORMAT, "python": version[:2], "home": str(home)}
    stamp = home / "environment.json"
    if read_json(stamp) == wanted and works([str(python), "-c", "import sys, pip"]):
        return python
    if home.exists():
        say(f"{home.name}: replacing {home}")
        shutil.rmtree(home)
    say(f"{home.name}: creating {home} with Python {'.'.join(map(str, version))}")
    create(home, base)
    stamp.write_text(json.dumps(wanted), encoding="utf-8")
    return python


def describe(python: str) -> list[int]:
    code = "import sys, json; print(json.dumps(sys.version_info[:3]))"
    done = subprocess.run([python, "-c", code], check=True, stdout=subprocess.PIPE, text=True)
    version: list[int] = json.loads(done.stdout)
    return version


def create(home: Path, base: str) -> None:
    """Make the environment by whichever way this machine has."""
    if not works([base, "-c", "import ensurepip, venv"]) and not install_venv_module(base):
        create_without_venv(home, base)
        return
    done = run([base, "-m", "venv", str(home)])
    if done.returncode:
        shutil.rmtree(home, ignore_errors=True)
        raise SetupError(f"{base} -m venv {home} failed:\n{tail(done.stdout)}")


def install_venv_module(base: str) -> bool:
    """Debian keeps `ensurepip` in a package of its own; root may fetch it."""
    if not (is_debian() and is_root()):
        return False
    package = f"python{'.'.join(map(str, describe(base)[:2]))}-venv"
    return apt_install(package) and works([base, "-c", "import ensurepip, venv"])


def create_without_venv(home: Path, base: str) -> None:
    if works([base, "-m", "virtualenv", "--version"]):
        done = run([base, "-m", "virtualenv", "--quiet", str(home)])
    elif works(["virtualenv", "--version"]):
        done = run(["virtualenv", "--quiet", "--python", base, str(home)])
    else:
        package = f"python{'.'.join(map(str, describe(base)[:2]))}-venv"
        raise SetupError(
            f"{base} can't make a virtual environment: it comes without venv or ensurepip.\n"
            f"On Debian and Ubuntu: sudo apt-get install {package}\n"
            "Elsewhere: install `virtualenv` (pipx install virtualenv), and run this again."
        )
    if done.returncode:
        shutil.rmtree(home, ignore_errors=True)
        raise SetupError(f"virtualenv failed:\n{tail(done.stdout)}")


def link_sources(home: Path, root: Path) -> None:
    """Put the companion's sources on the environment's path, as an editable install would."""
    pattern = "Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages"
    for packages in home.glob(pattern):
        link = packages / "payload_replay_sources.pth"
        text = f"{root / 'companion' / 'src'}\n"
        if not link.exists() or link.read_text(encoding="utf-8") != text:
            link.write_text(text, encoding="utf-8")


# Its packages


def install(home: Path, layer: str, names: list[str], root: Path) -> None:
    """Install the lock files of one layer, unless this very state is already in."""
    files = [root / "requirements" / f"{name}.txt" for name in names]
    stamp = home / f"{layer}.stamp"
    state = digest(files)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    stamp.unlink(missing_ok=True)
    started = time.monotonic()
    say(f"{home.name}: installing {' and '.join(file.name for file in files)} (about a minute)")
    pip_install(home, files)
    stamp.write_text(state, encoding="utf-8")
    say(f"{home.name}: {layer} ready after {time.monotonic() - started:.0f} s")


def digest(files: list[Path]) -> str:
    state = hashlib.sha256(str(STAMP_FORMAT).encode())
    for file in files:
        # As text, so that a checkout with other line endings is the same state.
        state.update(file.read_text(encoding="utf-8").encode())
    return state.hexdigest()


def pins(file: Path) -> list[str]:
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def pip_install(home: Path, files: list[Path]) -> None:
    # The lock files are complete, and on Python 3.13 deliberately outside of what gradio
    # declares: so no resolver.
    command = [str(python_of(home)), "-m", "pip", "install", "--no-deps", "--no-input"]
    command += ["--disable-pip-version-check", "--only-binary", ":all:"]
    for file in files:
        command += ["-r", str(file)]
    log = home / "pip.log"
    with log.open("w", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            command,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        assert process.stdout is not None
        follow(home.name, process.stdout, output)
    if process.wait():
        raise SetupError(
            f"pip could not install {', '.join(file.name for file in files)}:\n"
            f"{tail(log.read_text(encoding='utf-8'))}\n"
            f"The whole output is in {log}. Mostly this is the network or a full disk: mend it and"
            " run the same command again; what is already downloaded is kept."
        )


def follow(name: str, lines: Iterable[str], log: TextIO) -> None:
    """Copy pip's output into the log, and say every ten seconds where it is."""
    said = time.monotonic()
    for line in lines:
        log.write(line)
        if time.monotonic() - said > 10:
            say(f"{name}: {line.strip()[:100]}")
            said = time.monotonic()


def clean_environment() -> dict[str, str]:
    """What surrounds us without what would lead a child Python to other packages than its own."""
    leave = ("PYTHONPATH", "PYTHONHOME", "PYTHONNOUSERSITE", "PIP_TARGET", "PIP_PREFIX", "PIP_USER")
    kept = {name: value for name, value in os.environ.items() if name not in leave}
    return {**kept, "PIP_USER": "0", "PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1"}


# The browser of the tests


def ensure_chromium(python: Path | None = None) -> str:
    """The path of a Chromium that starts; on Debian as root it is installed when missing."""
    found = find_chromium()
    if found:
        return found
    if is_debian() and is_root() and apt_install("chromium"):
        found = find_chromium()
    found = found or playwright_chromium(python or Path(sys.executable))
    if not found:
        raise SetupError(
            "the tests drive a real browser, and there is no Chromium here.\n"
            "On Debian: sudo apt-get install chromium\n"
            "Elsewhere: put Chromium or Google Chrome on PATH, or run\n"
            f"{python or sys.executable} -m playwright install --with-deps chromium"
        )
    return found


def find_chromium() -> str | None:
    for name in CHROMIUMS:
        path = shutil.which(name)
        # Ubuntu's package is a stub that starts nothing where there is no snap.
        if path and works([path, "--version"]):
            return path
    return None


def playwright_chromium(python: Path) -> str | None:
    """Playwright's own build, installed when missing."""
    code = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as p: print(p.chromium.executable_path)"
    )
    if not works([str(python), "-c", "import playwright"]):
        return None
    path = run([str(python), "-c", code]).stdout.strip()
    if not works([path, "--version"]):
        say("browser: installing Playwright's Chromium")
        run([str(python), "-m", "playwright", "install", "chromium"])
    return path if works([path, "--version"]) else None


# The machine


def is_debian() -> bool:
    release = Path("/etc/os-release")
    lines = release.read_text(encoding="utf-8").splitlines() if release.exists() else []
    return "ID=debian" in lines and shutil.which("apt-get") is not None


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def apt_install(package: str) -> bool:
    say(f"installing Debian's {package}")
    surroundings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-q"], surroundings)
    done = run(["apt-get", "install", "-q", "-y", "--no-install-recommends", package], surroundings)
    if done.returncode:
        say(f"apt-get could not install {package}:\n{tail(done.stdout)}")
    return done.returncode == 0


def run(
    command: list[str], surroundings: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=surroundings or clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )


def tail(text: str, lines: int = 15) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-lines:])


def read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@contextlib.contextmanager
def locked(path: Path, waiting: str) -> Iterator[None]:
    """Hold a file's lock; the system lets go of it when the process ends, however it ends."""
    with path.open("a+", encoding="utf-8") as file:
        announced = False
        while not try_lock(file.fileno()):
            if not announced:
                say(waiting)
                announced = True
            time.sleep(0.5)
        yield


def try_lock(number: int) -> bool:
    try:
        if importlib.util.find_spec("fcntl"):
            import fcntl

            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            os.lseek(number, 0, os.SEEK_SET)
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return False
    return True


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="companion/environment.py", description=__doc__)
    parser.add_argument("--flavour", choices=FLAVOURS, action="append")
    parser.add_argument("--tests", action="store_true", help="the tools of the tests as well")
    parser.add_argument("--browser", action="store_true", help="Chromium as well")
    chosen = parser.parse_args(arguments)
    try:
        for flavour in chosen.flavour or FLAVOURS:
            python = ensure(flavour, tests=chosen.tests)
            print(python)
        if chosen.browser:
            print(ensure_chromium(python))
    except SetupError as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
