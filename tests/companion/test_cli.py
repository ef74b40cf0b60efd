"""The commands as a shell sees them: output, exit code, and the way out of each mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fake_webui import API, EXTENSION, NO_ROUTE, FakeWebUI
from payload_replay import Capture
from payload_replay.__main__ import main
from payload_replay.capture import Job
from payload_replay.source import from_bytes

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def surroundings(fake: FakeWebUI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYLOAD_REPLAY_SERVER", fake.url)
    monkeypatch.delenv("PAYLOAD_REPLAY_AUTH", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    """Runs a command line: its exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


def test_replay_latest(said, captured) -> None:
    captured()
    code, out, err = said("replay", "latest")
    assert (code, err) == (0, "")
    assert out.split("\t")[:3] == ["identical", "latest", "1"]


def test_replay_json_is_one_object_a_line(fake: FakeWebUI, said, captured) -> None:
    name = captured().results[0].sha256
    code, out, err = said("replay", "latest", "no.json", "cat-1", "--json")
    assert (code, err) == (2, "")
    first, bad, last = map(json.loads, out.splitlines())
    assert first.pop("seconds") >= 0
    assert first == {
        "source": "latest",
        "id": "cat-1",
        "endpoint": f"{API}/txt2img",
        "verdict": "identical",
        "reason": "the picture came back pixel for pixel",
        "images": [{"expected": name, "actual": name, "verdict": "identical"}],
        "server": fake.url,
    }
    assert (bad["verdict"], last["verdict"]) == ("refused", "identical")


def test_exit_1_where_pictures_differ(fake: FakeWebUI, said, captured) -> None:
    captured()
    fake.options["sd_model_checkpoint"] = "beta"
    code, out, _ = said("replay", "latest")
    assert code == 1
    assert "Model 'beta' instead of 'alpha'" in out


def test_exit_2_where_refused(said, captured) -> None:
    captured(job=Job(state="interrupted"))
    assert said("replay", "latest")[0] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay",),
        ("replay", "no.json"),
        ("replay", "unknown"),
        ("replay", "latest", "--server", "ftp://host"),
        ("replay", "latest", "--server", "host:port"),
        ("replay", "latest", "--auth", "no-colon"),
        ("replay", "latest", "--nonsense"),
        ("list", "--limit", "0"),
        ("show", "unknown"),
        ("export", "latest", "--format", "yaml"),
        ("nonsense",),
    ],
)
def test_exit_2_for_bad_input(said, captured, arguments: tuple[str, ...]) -> None:
    captured()
    code, out, err = said(*arguments)
    assert code == 2
    assert out + err
    assert "Traceback" not in out + err


def test_exit_3_without_a_server(said) -> None:
    for command in ("replay", "show", "export"):
        code, out, err = said(command, "latest", "--server", "http://127.0.0.1:9")
        assert code == 3
        assert "is the webui running" in out + err


def test_exit_3_without_the_extension(fake: FakeWebUI, said) -> None:
    fake.answers["GET", f"{EXTENSION}/captures"] = NO_ROUTE
    code, _, err = said("list")
    assert code == 3
    assert "install the extension" in err


def test_exit_3_where_the_server_fails(fake: FakeWebUI, said, captured) -> None:
    captured()
    fake.answer("POST", f"{API}/txt2img", 500, {"error": "E", "errors": "no memory"})
    code, out, _ = said("replay", "latest")
    assert code == 3
    assert "no memory" in out


def test_422_names_the_field(fake: FakeWebUI, said, captured) -> None:
    captured()
    detail = [{"loc": ["body", "steps"], "msg": "not an integer"}]
    fake.answer("POST", f"{API}/txt2img", 422, {"detail": detail})
    code, out, _ = said("replay", "latest")
    assert code == 2
    assert "steps: not an integer" in out


def test_a_password_with_colons(fake: FakeWebUI, said, captured) -> None:
    captured()
    fake.auth = "me:pass:wörd:"
    assert said("replay", "latest", "--auth", fake.auth)[0] == 0
    code, out, _ = said("replay", "latest", "--auth", "me:pass")
    assert code == 3
    assert "refuses this user and password" in out


def test_replay_a_bare_payload_from_a_pipe(fake: FakeWebUI, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "payload_replay", "replay", "-", "--endpoint", "txt2img"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)],
        input=b'{"prompt": "from a pipe"}',
        capture_output=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"unverified\t-\t1\t")
    assert fake.bodies("POST", f"{API}/txt2img") == [{"prompt": "from a pipe"}]
    assert len(list(tmp_path.glob("*.png"))) == 1


def test_list(fake: FakeWebUI, said) -> None:
    fake.captures = {"cat-1": {}, "cat-2": {}}
    code, out, _ = said("list", "--limit", 1)
    assert (code, out.split("\t")[0]) == (0, "cat-2")
    said("list", "--endpoint", "img2img", "--source", "ui", "-q", "a cat")
    query = fake.asked[-1].query
    assert query == {
        "limit": ["20"],
        "q": ["a cat"],
        "endpoint": [f"{API}/img2img"],
        "source": ["ui"],
    }
    code, out, _ = said("list", "--json")
    assert [json.loads(line) for line in out.splitlines()] == [{"id": "cat-2"}, {"id": "cat-1"}]


def test_show(said, captured) -> None:
    capture = captured()
    code, out, _ = said("show")
    assert code == 0
    lines = [line.split("\t") for line in out.splitlines()]
    assert ["prompt", "a cat"] in lines
    code, out, _ = said("show", "cat-1", "--json")
    assert Capture.from_json(out) == capture


@pytest.mark.parametrize("name", ["json", "payload", "bundle"])
def test_export_and_replay_the_file(said, captured, tmp_path: Path, name: str) -> None:
    captured()
    path = tmp_path / "cat"
    assert said("export", "--format", name, "--out", path)[0] == 0
    assert said("replay", path)[0] == 0
    code, _, err = said("export", "--format", name, "--out", path)
    assert code == 2
    assert "exists, and is not overwritten: name another" in err


def test_export_to_a_pipe(captured, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    capture = captured()
    assert main(["export", "-f", "bundle"]) == 0
    assert from_bytes(capfdbinary.readouterr().out).payload == capture.payload


def test_version_and_help(said) -> None:
    assert said("--version")[:2] == (0, "payload-replay 0.1.0\n")
    for command in ("list", "show", "export", "replay"):
        code, out, _ = said(command, "--help")
        assert code == 0
        assert "Example: payload-replay" in out


def test_without_the_extra_it_says_how_to_install(fake: FakeWebUI) -> None:
    code = (
        "import sys; sys.modules['typer'] = None\n"
        "from payload_replay.__main__ import main\n"
        "sys.exit(main(['list']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == 2
    assert "pip install './companion[cli]'" in done.stderr
