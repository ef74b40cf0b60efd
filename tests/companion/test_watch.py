"""None missed, none twice, whatever the server does meanwhile."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from fake_webui import EXTENSION, NO_ROUTE, FakeWebUI
from payload_replay import BadSource, Capture, ConnectionFailed, NotFound, WebUI, WrongCredentials
from payload_replay import watch as module
from payload_replay.__main__ import main
from payload_replay.watch import Polling, Watch, arguments, executed, fetched, saved
from webui_standin import Process

pytestmark = pytest.mark.once


class Patience:
    """Counts instead of sleeping; `then` happens at the given attempt."""

    def __init__(self, then: Callable[[], None] = lambda: None, at: int = 1) -> None:
        self.waited: list[float] = []
        self._then, self._at = then, at

    def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)
        if len(self.waited) == self._at:
            self._then()
        assert len(self.waited) < 50, "it waits for ever"


def ids(watch: Watch) -> list[str]:
    return [row["id"] for row in watch.unseen()]


def add(fake: FakeWebUI, *names: str) -> None:
    for name in names:
        fake.captures[name] = {"id": name}


def test_only_what_comes_from_now_on(fake: FakeWebUI, webui: WebUI) -> None:
    add(fake, "old-1", "old-2")
    watch = Watch(webui)
    assert ids(watch) == []
    add(fake, "new-1", "new-2", "new-3")
    assert ids(watch) == ["new-1", "new-2", "new-3"]
    assert ids(watch) == []


def test_more_than_a_page_between_two_looks(fake: FakeWebUI, webui: WebUI) -> None:
    watch = Watch(webui)
    names = [f"new-{n:04}" for n in range(350)]
    add(fake, *names)
    assert ids(watch) == names
    assert ids(watch) == []


def test_a_quiet_look_asks_for_one_row(fake: FakeWebUI, webui: WebUI) -> None:
    add(fake, "old")
    watch = Watch(webui)
    fake.asked.clear()
    ids(watch)
    assert [one.query["limit"] for one in fake.asked] == [["1"]]


def test_since(fake: FakeWebUI, webui: WebUI, captured) -> None:
    for name in ("a", "b", "c"):
        captured(id=name)
    assert ids(Watch(webui, "a")) == ["b", "c"]
    assert ids(Watch(webui, "latest")) == []
    with pytest.raises(NotFound, match="--since nothing"):
        Watch(webui, "nothing")


def test_what_was_seen_may_be_deleted(fake: FakeWebUI, webui: WebUI) -> None:
    add(fake, "old-1", "old-2")
    watch = Watch(webui)
    del fake.captures["old-2"]
    add(fake, "new-1")
    assert ids(watch) == ["new-1"]
    fake.captures.clear()
    assert ids(watch) == []
    add(fake, "new-2")
    assert ids(watch) == ["new-2"]


def test_what_is_older_than_the_watch_is_not_new(fake: FakeWebUI, webui: WebUI) -> None:
    """All that it knew is deleted, but not what is further back."""

    def row(number: int) -> dict[str, Any]:
        return {"id": f"c-{number}", "started": f"2026-01-01T00:{number // 60:02}:{number % 60:02}"}

    known = [row(n) for n in range(200)]
    rows = {"captures": known[:99:-1], "next": None}
    fake.answer("GET", f"{EXTENSION}/captures", body=rows)
    watch = Watch(webui)
    rows["captures"] = [row(201), *known[:100][::-1]]
    assert ids(watch) == ["c-201"]


def test_rows_that_wait_to_be_stored_are_not_cut(fake: FakeWebUI, webui: WebUI) -> None:
    """The extension answers more rows than asked for while its store cannot be written."""
    watch = Watch(webui)
    rows = [{"id": f"c-{n}"} for n in range(103)]
    fake.answer("GET", f"{EXTENSION}/captures", body={"captures": rows[::-1], "next": None})
    assert ids(watch) == [row["id"] for row in rows]


def test_a_restart_is_waited_for(fake: FakeWebUI, webui: WebUI) -> None:
    add(fake, "old")
    said: list[str] = []
    path = ("GET", f"{EXTENSION}/captures")

    def back() -> None:
        del fake.answers[path]
        add(fake, "new-1", "new-2")

    patience = Patience(back, at=7)
    watch = Watch(webui, note=said.append, sleep=patience)
    fake.answers[path] = NO_ROUTE
    assert ids(watch) == ["new-1", "new-2"]
    assert patience.waited == [1, 2, 4, 8, 16, 30, 30]
    assert "trying again in 1 s" in said[0]
    assert said[-1] == f"{fake.url} answers again"
    assert ids(watch) == []


@pytest.mark.parametrize(
    "given",
    [
        (500, {"error": "E"}),
        (200, b"<html>"),
        (200, b"{"),
        (200, {"captures": [{}], "next": None}),
        (200, {"captures": ["new"], "next": None}),
        (200, {"captures": None}),
    ],
)
def test_any_failure_of_a_starting_server_passes(
    fake: FakeWebUI, webui: WebUI, given: tuple[Any, ...]
) -> None:
    path = ("GET", f"{EXTENSION}/captures")
    watch = Watch(webui, sleep=Patience(lambda: fake.answers.pop(path) and None))
    add(fake, "new")
    fake.answer(*path, *given)
    assert ids(watch) == ["new"]


def test_what_does_not_pass_ends_it(fake: FakeWebUI, webui: WebUI) -> None:
    watch = Watch(webui, sleep=Patience())
    fake.auth = "me:secret"
    with pytest.raises(WrongCredentials):
        ids(watch)


def test_a_server_that_was_never_there(fake: FakeWebUI) -> None:
    with pytest.raises(ConnectionFailed):
        Watch(WebUI("http://127.0.0.1:9"))


def test_another_bell(fake: FakeWebUI, webui: WebUI) -> None:
    """Whatever blocks until there may be something new can take the poll's place."""
    names = iter(["a", "b"])

    def ring() -> None:
        add(fake, next(names))

    watch = iter(Watch(webui, bell=ring))
    assert [next(watch)["id"], next(watch)["id"]] == ["a", "b"]
    waited: list[float] = []
    Polling(3, waited.append)()
    assert waited == [3]


def test_what_is_remembered_is_bounded(
    fake: FakeWebUI, webui: WebUI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 5)
    watch = Watch(webui)
    for number in range(20):
        add(fake, f"c-{number}")
        assert ids(watch) == [f"c-{number}"]
    assert len(watch._seen) == 5


# ---- what is done with each


def test_fetched_is_self_contained(webui: WebUI, fake: FakeWebUI, captured) -> None:
    capture = captured()
    document = Capture.from_json(fetched(webui, "cat-1"))
    assert document.asset(capture.results[0].asset) == fake.assets[capture.results[0].asset]
    with pytest.raises(NotFound):
        fetched(webui, "gone")


def test_saved_never_replaces(tmp_path: Path) -> None:
    path = saved(tmp_path, "a", b"1")
    assert saved(tmp_path, "a", b"2") == path
    assert path.read_bytes() == b"1"


@pytest.mark.parametrize("command", ["", "  ", "'", "no-such-program-anywhere {}"])
def test_commands_that_cannot_be_run(command: str) -> None:
    with pytest.raises(BadSource, match="--exec"):
        arguments(command)


def test_executed(tmp_path: Path) -> None:
    script = (
        "import json, os, sys; told = {k: v for k, v in os.environ.items() if 'CAPTURE' in k};"
        "open(sys.argv[1] + '.seen', 'w').write(json.dumps([sys.argv[1:], told]))"
    )
    file = tmp_path / "a b; rm -rf $HOME.json"
    row: Any = {"id": "a", "seed": 7, "endpoint": "/x", "model": "m\0", "user": None}
    for words in (["-c", script], ["-c", script, "{}"]):
        assert executed([sys.executable, *words], file, row, "http://h") is None
        given, told = json.loads(Path(f"{file}.seen").read_text())
        assert given == [str(file)]
    assert told["PAYLOAD_CAPTURE_ID"] == "a"
    assert told["PAYLOAD_CAPTURE_FILE"] == str(file)
    assert (told["PAYLOAD_CAPTURE_SEED"], told["PAYLOAD_CAPTURE_MODEL"]) == ("7", "m")
    assert (told["PAYLOAD_CAPTURE_STATE"], told["PAYLOAD_CAPTURE_SERVER"]) == ("", "http://h")


def test_failures_are_words(tmp_path: Path) -> None:
    row: Any = {"id": "a"}
    failed = executed([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, row, "")
    assert failed is not None
    assert failed.endswith("exited with 3")
    killed = "import os; os.kill(os.getpid(), 9)"
    assert "signal 9" in str(executed([sys.executable, "-c", killed], tmp_path, row, ""))
    assert "No such file" in str(executed(["/nowhere/at/all"], tmp_path, row, ""))


# ---- the command


def test_out_and_exec_from_the_command_line(
    fake: FakeWebUI, captured, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for seed, name in enumerate("abcd"):
        captured({"seed": seed}, id=name)
    fake.captures["b"]["format"] = 99
    command = f"{sys.executable} -c \"import sys; sys.exit('c.json' in sys.argv[1])\" {{}}"
    options = ["--since", "a", "--count", "3", "--out", tmp_path / "out", "--exec", command]
    code = main(["watch", "--server", fake.url, "--json", *map(str, options)])
    out, err = capfd.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [row["id"] for row in rows] == ["b", "c", "d"]
    assert "written in format 99" in rows[0]["problem"]
    assert rows[1]["problem"].endswith("exited with 1")
    assert rows[2]["problem"] is None
    files = [None, *(str(tmp_path / "out" / f"{name}.json") for name in "cd")]
    assert [row["file"] for row in rows] == files
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_exec_alone_leaves_no_file(
    fake: FakeWebUI, captured, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        captured(id=name)
    command = f'{sys.executable} -c "import sys; print(len(open(sys.argv[1]).read()) > 99)"'
    options = ["--server", fake.url, "--since", "a", "--count", "1", "--exec", command]
    assert main(["watch", *options]) == 0
    out, err = capfd.readouterr()
    assert out.split("\t")[0] == "b"
    assert err == "True\n"


def test_ctrl_c(fake: FakeWebUI, captured, started) -> None:
    captured(id="a")
    process = started("watch", "--interval", "0.05", "--server", fake.url, "--since", "a", "--json")
    captured(id="b")
    assert json.loads(process.stdout.readline())["id"] == "b"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--since", "nothing"], 2),
        (["--exec", "no-such-program-anywhere"], 2),
        (["--server", "http://127.0.0.1:9"], 3),
        (["--interval", "0"], 2),
    ],
)
def test_exit_codes(
    fake: FakeWebUI, options: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    server = [] if "--server" in options else ["--server", fake.url]
    assert main(["watch", *server, *options]) == code
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--help"]) == 0
    assert "Example: payload-replay watch" in capsys.readouterr().out


def test_a_real_server_that_restarts(repository: Path, tmp_path: Path, started) -> None:
    """A webui with the extension is stopped and started while it is watched."""
    payload = {"prompt": "hills", "steps": 1, "width": 64, "height": 64}

    def generate(host: Process) -> None:
        requests.post(f"{host.url}/sdapi/v1/txt2img", json=payload, timeout=60).raise_for_status()

    extensions = {"sd-webui-payload-capture": repository}
    with Process(extensions=extensions, flags=["--nowebui"]) as host:
        generate(host)
        latest = WebUI(host.url).captures.latest().id
        process = started(
            "watch",
            "--interval",
            "0.05",
            "--server",
            host.url,
            "--since",
            latest,
            "--json",
            "--out",
            tmp_path,
        )
        generate(host)
        seen = [json.loads(process.stdout.readline())]
        host.restart()
        for _ in range(3):
            generate(host)
        seen += [json.loads(process.stdout.readline()) for _ in range(3)]
        listed = [row["id"] for row in WebUI(host.url).captures.list()]
    assert [row["id"] for row in seen] == listed[::-1][1:]
    assert all(Capture.from_json(Path(row["file"]).read_bytes()).results for row in seen)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
