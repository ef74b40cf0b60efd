"""The set-up of `.venv/<flavour>`: repeated it does nothing, and its errors say what to do."""

from __future__ import annotations

import contextlib
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page

import environment
from environment import SetupError

pytestmark = pytest.mark.once


LOCKS = ("a1111", "forge", "project", "test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests, since each environment in it takes seconds to make."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "requirements").mkdir()
    source = folder / "companion" / "src" / "payload_replay" / "__init__.py"
    source.parent.mkdir(parents=True)
    source.write_text("here = __file__\n", encoding="utf-8")
    return folder


@pytest.fixture
def checkout(folder: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    """A checkout whose lock files ask for nothing, so that setting up needs no network."""
    for name in LOCKS:
        (folder / "requirements" / f"{name}.txt").write_text("# nothing\n", encoding="utf-8")
    environment.ensure("a1111", tests=True, root=folder)
    capfd.readouterr()
    return folder


def test_environment_finds_the_checkouts_sources(checkout: Path) -> None:
    python = environment.python_of(checkout / ".venv" / "a1111")
    code = "import payload_replay; print(payload_replay.here)"
    done = subprocess.run(
        [python, "-c", code],
        env=environment.clean_environment(),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(checkout)


def test_second_time_does_nothing(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    environment.ensure("a1111", tests=True, root=checkout)
    assert capfd.readouterr().err == ""


def test_changed_lock_file_installs_again(
    checkout: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (checkout / "requirements" / "test.txt").write_text("# other\n", encoding="utf-8")
    environment.ensure("a1111", tests=True, root=checkout)
    said = capfd.readouterr().err
    assert "installing test.txt" in said
    assert "project.txt" not in said


def test_broken_environment_is_replaced(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    environment.python_of(checkout / ".venv" / "a1111").unlink()
    python = environment.ensure("a1111", root=checkout)
    assert "replacing" in capfd.readouterr().err
    assert environment.works([str(python), "-c", ""])


def test_an_environments_own_python_can_replace_it(checkout: Path, repository: Path) -> None:
    home = checkout / ".venv" / "a1111"
    (home / "environment.json").write_text("{}", encoding="utf-8")
    code = "import pathlib, environment; environment.ensure('a1111', root=pathlib.Path.cwd())"
    done = subprocess.run(
        [environment.python_of(home), "-c", code],
        cwd=checkout,
        env={**environment.clean_environment(), "PYTHONPATH": str(repository / "companion")},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "replacing" in done.stderr
    assert done.returncode == 0, done.stderr
    assert environment.works([str(environment.python_of(home)), "-c", "import pip"])


def test_failing_pip_shows_its_last_lines_and_the_way_out(checkout: Path) -> None:
    lock = checkout / "requirements" / "project.txt"
    wheel = "file:///nowhere/no_such_package-1-py3-none-any.whl"
    lock.write_text(f"no-such-package @ {wheel}\n", encoding="utf-8")
    with pytest.raises(SetupError, match=r"project\.txt") as error:
        environment.ensure("a1111", root=checkout)
    assert "nowhere" in str(error.value)
    assert "run the same command again" in str(error.value)
    lock.write_text("# mended\n", encoding="utf-8")
    environment.ensure("a1111", root=checkout)


def test_missing_venv_module_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "python3"
    lacking = 'case "$*" in *ensurepip*|*virtualenv*) exit 1;; esac'
    script = ["#!/bin/sh", lacking, f'exec {sys.executable} "$@"']
    bare.write_text("\n".join(script), encoding="utf-8")
    bare.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"apt-get install python3\.\d+-venv"):
        environment.create(tmp_path / "home", str(bare))


def test_unknown_flavour_names_the_known_ones(checkout: Path) -> None:
    with pytest.raises(SetupError, match="a1111, forge, reforge"):
        environment.ensure("sdnext", root=checkout)


def test_two_setups_wait_for_each_other(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with environment.locked(tmp_path / "lock", "waiting"):
            order.append("second")

    with environment.locked(tmp_path / "lock", "waiting"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_python_without_wheels_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "PYTHONS", ((3, 98), (3, 99)))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"Python 3\.98 to 3\.99.*Install one"):
        environment.suitable_python()


def test_chromium_starts(browser: object) -> None:
    assert environment.works([environment.ensure_chromium(), "--version"])


@contextlib.contextmanager
def serving(address: str) -> Iterator[str]:
    with ThreadingHTTPServer((address, 0), SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield f"http://{address}:{server.server_port}/"
        finally:
            server.shutdown()


def test_chromium_reaches_this_machine_only(page: Page) -> None:
    with serving("127.0.0.1") as here:
        page.goto(here)
    with serving("127.0.0.2") as another, pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto(another)


def test_missing_chromium_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="apt-get install chromium"):
        environment.ensure_chromium(tmp_path / "python")


@pytest.mark.parametrize(
    ("arguments", "flavour"),
    [
        (["demo"], "a1111"),
        (["demo", "--flavour", "forge", "--serve"], "forge"),
        (["demo", "--flavour=forge"], "forge"),
        (["demo", "--flavour", "reforge"], "reforge"),
        (["replay", "latest", "--flavour"], "a1111"),
    ],
)
def test_command_line_picks_the_environment(
    arguments: list[str], flavour: str, repository: Path
) -> None:
    bootstrap = runpy.run_path(str(repository / "companion" / "__main__.py"))
    assert bootstrap["flavour_in"](arguments) == flavour
