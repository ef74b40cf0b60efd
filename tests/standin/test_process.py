"""The stand-in as a child process: started, told apart, ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from webui_standin import Process, StartupError, process
from webui_standin.process import free_port, link_or_copy


def test_stop_ends_the_process_and_removes_its_data(tmp_path: Path) -> None:
    host = Process(flags=["--nowebui"]).start()
    data, pid = host.data_dir, host.pid
    assert (data / "models/Stable-diffusion/standin-meadow.safetensors").exists()
    host.stop()
    assert not data.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RuntimeError):
        _ = host.pid


def test_a_host_that_cant_start_says_why() -> None:
    with pytest.raises(StartupError, match="unrecognized arguments: --no-such-flag"):
        Process(flags=["--no-such-flag"]).start()


def test_a_missing_extension_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(NotADirectoryError, match="nowhere"),
        Process(extensions=[tmp_path / "nowhere"]),
    ):
        pass


FILES = {
    "aaa/scripts/aaa.py": "print('loading aaa')",
    "aaa/metadata.ini": "[scripts]\nAfter = zzz",
    "zzz/scripts/zzz.py": "from modules import scripts\nprint('loading zzz', scripts.basedir())",
    "broken/scripts/broken.py": "raise ValueError('at import')",
    "broken/preload.py": "def preload(parser):\n    1 / 0",
    "broken/install.py": "raise SystemExit(3)",
    "off/scripts/off.py": "print('loading off')",
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A page without API, whose extensions lie in a folder of the command line."""
    folder, data = tmp_path_factory.mktemp("several"), tmp_path_factory.mktemp("data")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (data / "config.json").write_text('{"disabled_extensions": ["off"]}')
    with Process(api=False, data_dir=data, flags=["--extensions", str(folder)]) as host:
        yield host


def test_without_api_there_is_none(mixed: Process) -> None:
    assert requests.get(mixed.url + "/sdapi/v1/samplers", timeout=30).status_code == 404
    assert requests.get(mixed.url + "/internal/ping", timeout=30).status_code == 200


def test_order_of_scripts_follows_the_metadata(mixed: Process) -> None:
    loading = [line for line in mixed.log.splitlines() if line.startswith("loading")]
    assert [line.split()[1] for line in loading] == ["zzz", "aaa"]
    assert loading[0].endswith("/zzz"), "basedir() is the extension's folder"


def test_broken_extensions_are_kept_not_raised(mixed: Process) -> None:
    kinds = [error["type"] for error in mixed.errors()]
    assert kinds == ["RuntimeError", "ZeroDivisionError", "ValueError"]
    mixed.clear_errors()
    assert mixed.errors() == []


def test_the_child_doesnt_outlive_a_killed_parent(tmp_path: Path) -> None:
    code = (
        "import os, sys; from webui_standin import Process\n"
        "host = Process(flags=['--nowebui'], data_dir=sys.argv[1]).start()\n"
        "print(host.url, flush=True); os._exit(9)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    source = Path(__file__).parents[2] / "companion" / "src"
    env = {**os.environ, "PYTHONPATH": str(source)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=100)
    url = done.stdout.strip()
    assert url.startswith("http://127.0.0.1"), done.stderr
    deadline = time.monotonic() + 20
    while answers(url) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not answers(url)


def answers(url: str) -> bool:
    try:
        return requests.get(url + "/standin/ready", timeout=5).ok
    except requests.RequestException:
        return False


def test_a_free_port_is_one_that_the_system_gives_to_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A port of the system's own range may be another program's before the host binds it."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        monkeypatch.setattr(process, "PORTS", range(port, port + 1))
        with pytest.raises(OSError, match=f"no free port from {port} to {port} on 127.0.0.1"):
            free_port()
    with socket.create_server(("127.0.0.1", 0)) as given:
        assert port < given.getsockname()[1]


def test_link_or_copy(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("text")
    link_or_copy(source, tmp_path / "target")
    assert (tmp_path / "target" / "file").read_text() == "text"
    link_or_copy(source, tmp_path / "target")
