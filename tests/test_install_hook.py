"""install.py, run as the webui runs it: by path, with the webui's `launch` to hand."""

from __future__ import annotations

import runpy
import sys
from configparser import ConfigParser
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.once


class Launch(ModuleType):
    """The one function of the webui's `launch` that the hook calls."""

    def __init__(self) -> None:
        super().__init__("launch")
        self.commands: list[str] = []

    def run_pip(self, command: str, desc: str) -> None:
        self.commands.append(command)


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch) -> Launch:
    launch = Launch()
    monkeypatch.setitem(sys.modules, "launch", launch)
    return launch


def installed(folder: Path, *packages: str) -> str:
    """A folder for `sys.path` in which pip left these packages."""
    for package in packages:
        (folder / package).mkdir()
    return str(folder)


def test_nothing_is_installed_twice(
    launch: Launch, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the environment of the tests, which has both; `launch` is not even imported."""
    monkeypatch.delitem(sys.modules, "launch")
    runpy.run_path(str(repository / "install.py"))
    assert launch.commands == []


@pytest.mark.parametrize(
    ("packages", "wanted"),
    [
        ([], ["sqlalchemy>=2,<3", "alembic>=1,<2"]),
        (["sqlalchemy_utils-2.0.0.dist-info", "alembic"], ["sqlalchemy>=2,<3", "alembic>=1,<2"]),
        (["SQLAlchemy-1.4.54.egg-info", "alembic-1.13.0.dist-info"], ["sqlalchemy>=2,<3"]),
        (["sqlalchemy-2.1.0b1.dist-info"], ["alembic>=1,<2"]),
        (["SQLAlchemy-2.0.52-py3.10.egg-info", "alembic-1.19.1.dist-info"], []),
    ],
)
def test_what_is_missing_or_too_old_is_installed(
    packages: list[str],
    wanted: list[str],
    launch: Launch,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", ["", "/gone", installed(tmp_path, *packages)])
    runpy.run_path(str(repository / "install.py"))
    quoted = " ".join(f'"{one}"' for one in wanted)
    assert launch.commands == ([f"install {quoted}"] if wanted else [])


def test_metadata_names_the_extension(repository: Path) -> None:
    config = ConfigParser()
    config.read(repository / "metadata.ini", encoding="utf-8")
    assert config["Extension"]["Name"] == "sd-webui-payload-capture"
