"""A PostgreSQL server of the tests' own, on loopback, with a data folder of its own.

Debian's package, installed when missing where this is Debian and root. PostgreSQL refuses to run
as root, so it then runs as the user that Debian's package makes.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import environment
from webui_standin.process import free_port

PACKAGE = "postgresql"
USER = "postgres"


class Postgres:
    """A server that can be stopped and started again, at the same port and with its data."""

    def __init__(self, durable: bool = False) -> None:
        """`durable`: as a server is set by default; else it waits for no disk."""
        self._bin = binaries()
        self._account = pwd.getpwnam(USER) if environment.is_root() else None
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        if self._account:
            os.chown(self._folder, self._account.pw_uid, self._account.pw_gid)
        self._data = self._folder / "data"
        self._options = "" if durable else "-c fsync=off -c full_page_writes=off"
        self._databases = 0
        self.port = free_port()
        self._run("initdb", "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    def start(self) -> None:
        flags = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self._folder} {self._options}"
        log = self._folder / "log"
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "120", "-l", log, "-o", flags, "start")

    def stop(self) -> None:
        """At once, as a crash would, whoever is connected."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def database(self) -> str:
        """The SQLAlchemy URL of a new, empty database."""
        self._databases += 1
        name = f"captures{self._databases}"
        reach = ("-h", "127.0.0.1", "-p", str(self.port), "-U", USER)
        self._run("createdb", *reach, name)
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{name}"

    def _run(self, command: str, *arguments: object) -> None:
        account = self._account
        # Not by a pipe: the server that pg_ctl leaves behind would hold it open.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [str(self._bin / command), *map(str, arguments)],
                cwd=self._folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
            )
            output.seek(0)
            said = output.read().decode(errors="replace")
        assert done.returncode == 0, f"{command} failed: {said}"


def binaries() -> Path:
    """The folder of `initdb` and the others; Debian has it on nobody's PATH."""
    found = _found()
    if not found and environment.is_debian() and environment.is_root():
        environment.apt_install(PACKAGE)
        found = _found()
    if not found:
        raise environment.SetupError(
            "the tests start a PostgreSQL server of their own, and there is none here.\n"
            f"On Debian and Ubuntu: sudo apt-get install {PACKAGE}\n"
            "Elsewhere: install PostgreSQL and put `initdb` on PATH."
        )
    return found


def _found() -> Path | None:
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return debian[-1].parent if debian else None
