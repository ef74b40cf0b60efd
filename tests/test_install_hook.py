"""install.py, run as the webui runs it: by path, with the webui's `launch` to hand."""

from __future__ import annotations

import importlib.metadata
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


def set_versions(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    def version(name: str) -> str:
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(importlib.metadata, "version", version)


def test_nothing_is_installed_twice(
    launch: Launch, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_versions(monkeypatch, SQLAlchemy="2.0.52", alembic="1.19.1")
    monkeypatch.delitem(sys.modules, "launch")
    runpy.run_path(str(repository / "install.py"))
    assert launch.commands == []


@pytest.mark.parametrize(
    ("versions", "wanted"),
    [
        ({}, ["SQLAlchemy>=2,<3", "alembic>=1,<2"]),
        ({"SQLAlchemy": "1.4.54", "alembic": "1.13.0"}, ["SQLAlchemy>=2,<3"]),
        ({"SQLAlchemy": "2.1.0b1"}, ["alembic>=1,<2"]),
    ],
)
def test_what_is_missing_or_too_old_is_installed(
    versions: dict[str, str],
    wanted: list[str],
    launch: Launch,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_versions(monkeypatch, **versions)
    runpy.run_path(str(repository / "install.py"))
    quoted = " ".join(f'"{one}"' for one in wanted)
    assert launch.commands == [f"install {quoted}"]


def test_metadata_names_the_extension(repository: Path) -> None:
    config = ConfigParser()
    config.read(repository / "metadata.ini", encoding="utf-8")
    assert config["Extension"]["Name"] == "sd-webui-payload-capture"
