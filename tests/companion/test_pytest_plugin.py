"""The plugin in tests of somebody else's, in this process and in one of its own."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fake_webui import FakeWebUI, png
from payload_replay import Capture
from payload_replay.pytest_plugin import slug
from payload_replay.source import load

pytest_plugins = "pytester"
pytestmark = pytest.mark.once

TEST = """
import pytest

@pytest.mark.webui_capture({sources})
def test_cat(webui_replay):
    {call}
"""


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PAYLOAD_REPLAY_SERVER", "PAYLOAD_REPLAY_AUTH", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def beside(folder, pytester: pytest.Pytester) -> Callable[..., Path]:
    """Puts a capture beside the test; its path."""

    def put(*given: Any, name: str = "cat.json", **fields: Any) -> Path:
        (made,) = folder(*given, **fields).iterdir()
        return Path(shutil.move(made, pytester.path / name))

    return put


@pytest.fixture
def run(pytester: pytest.Pytester, fake: FakeWebUI):
    """Runs a test with the plugin against the fake webui."""

    def start(
        *options: str, sources: str = '"cat.json"', call: str = "webui_replay()", url: str = ""
    ) -> pytest.RunResult:
        pytester.makepyfile(test_cat=TEST.format(sources=sources, call=call))
        given = ["-p", "payload_replay.pytest_plugin", "--strict-markers", "-rs"]
        server = ["--webui-url", url or fake.url]
        return pytester.runpytest_inprocess(*given, *server, *options)

    return start


def test_an_identical_picture_passes(run, beside, pytester: pytest.Pytester) -> None:
    beside()
    call = 'replay, = webui_replay(); assert replay.verdict == "identical"'
    run(call=call).assert_outcomes(passed=1)
    assert not (pytester.path / "webui-report").exists()


def test_a_different_picture_fails_and_leaves_files(
    run, beside, fake: FakeWebUI, pytester: pytest.Pytester
) -> None:
    beside()
    fake.options["sd_model_checkpoint"] = "beta"
    result = run("--junitxml=junit.xml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*AssertionError: cat.json came back different: *Model 'beta' instead of 'alpha'*",
            "*sample, seed 7: different, * dB, by up to *",
            "*expected * *webui-report*0-expected.png",
            "*actual * *0-actual.png",
            "*difference *0-difference.png",
        ]
    )
    left = pytester.path / "webui-report" / "test_cat.py-test_cat" / "cat.json"
    assert {path.name for path in left.iterdir()} == {
        "0-expected.png",
        "0-actual.png",
        "0-difference.png",
    }
    junit = (pytester.path / "junit.xml").read_text()
    assert 'name="webui_verdict" value="different"' in junit
    assert 'name="webui_actual"' in junit


def test_the_folder_of_the_report(run, beside, fake: FakeWebUI, pytester: pytest.Pytester) -> None:
    beside()
    fake.options["sd_vae"] = "another"
    run("--webui-report", "elsewhere").assert_outcomes(failed=1)
    assert (pytester.path / "elsewhere" / "test_cat.py-test_cat").is_dir()


def test_close_can_be_allowed(run, beside, fake: FakeWebUI) -> None:
    beside()
    draw = fake.draw

    def nearly(payload: dict[str, Any], seed: int):
        image = draw(payload, seed)
        red, green, blue = image.getpixel((0, 0))
        image.putpixel((0, 0), (red ^ 1, green, blue))
        return image

    fake.draw = nearly
    run().assert_outcomes(failed=1)
    run(sources='"cat.json", allow="close"').assert_outcomes(passed=1)


def test_update_rewrites_what_is_expected(
    run, beside, fake: FakeWebUI, pytester: pytest.Pytester
) -> None:
    path = beside()
    before = Capture.from_json(path.read_bytes())
    fake.options["sd_vae"] = "another"
    result = run("--webui-update")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"webui: updated {path}"])
    after = Capture.from_json(path.read_bytes())
    assert after.payload == before.payload
    assert after.results[0].sha256 != before.results[0].sha256
    run().assert_outcomes(passed=1)
    unchanged = path.read_bytes()
    run("--webui-update").assert_outcomes(passed=1)
    assert path.read_bytes() == unchanged
    assert [one for one in pytester.path.iterdir() if one.suffix == ".part"] == []


def test_update_of_a_bundle_and_of_a_bare_payload(
    run, beside, fake: FakeWebUI, pytester: pytest.Pytester
) -> None:
    bundle = beside(None, "bundle", name="cat.zip")
    fake.options["sd_vae"] = "another"
    run("--webui-update", sources='"cat.zip"').assert_outcomes(passed=1)
    assert bundle.read_bytes()[:2] == b"PK"
    run(sources='"cat.zip"').assert_outcomes(passed=1)
    bare = pytester.path / "bare.json"
    bare.write_text(json.dumps({"prompt": "a dog", "steps": 2, "width": 16, "height": 16}))
    result = run(sources='"bare.json"')
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*bare.json has no expected pictures: --webui-update*"])
    run("--webui-update", sources='"bare.json"').assert_outcomes(passed=1)
    assert load(str(bare)).results
    run(sources='"bare.json"').assert_outcomes(passed=1)


CURL = "curl http://x/sdapi/v1/txt2img -d '{payload}'"
HAR = """{{"log": {{"entries": [{{"request": {{"method": "POST",
"url": "http://x/sdapi/v1/txt2img", "postData": {{"text": {text}}}}}}}]}}}}"""


def other_kinds() -> dict[str, bytes]:
    """A payload as other files than a capture's, by name."""
    payload = json.dumps({"prompt": "a cat", "seed": 7, "steps": 2, "width": 16, "height": 16})
    text = "a cat\nSteps: 2, Sampler: Euler a, CFG scale: 7, Seed: 7, Size: 16x16"
    return {
        "cat.sh": CURL.format(payload=payload).encode(),
        "cat.har": HAR.format(text=json.dumps(payload)).encode(),
        "cat.png": png(Image.new("RGB", (16, 16)), text),
        "cat.txt": text.encode(),
    }


@pytest.mark.parametrize("name", other_kinds())
def test_update_overwrites_no_file_of_another_kind(
    run, pytester: pytest.Pytester, name: str
) -> None:
    path = pytester.path / name
    path.write_bytes(other_kinds()[name])
    result = run("--webui-update", sources=f'"{name}"')
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*--webui-update: *{name} is no capture*export it as JSON*"])
    assert path.read_bytes() == other_kinds()[name]


@pytest.mark.parametrize(
    ("url", "put", "words"),
    [
        ("", False, "*no capture cat.json, neither beside the test nor on the server*"),
        ("http://127.0.0.1:9", True, "*nothing answers at http://127.0.0.1:9*"),
    ],
)
def test_what_is_missing_skips_or_fails(run, beside, url: str, put: bool, words: str) -> None:
    if put:
        beside()
    result = run(url=url)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines([words])
    result = run("--webui-fail-if-missing", url=url)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([words])


def test_without_a_url(pytester: pytest.Pytester, beside) -> None:
    beside()
    pytester.makepyfile(TEST.format(sources='"cat.json"', call="webui_replay()"))
    result = pytester.runpytest_inprocess("-p", "payload_replay.pytest_plugin", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*no webui: give --webui-url URL*"])


def test_a_broken_capture_fails(run, beside) -> None:
    beside().write_text('{"format": 1}')
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*cat.json*missing*"])


def test_a_refused_capture_fails(run, beside) -> None:
    beside({"sampler_name": "nonsense"})
    result = run("--webui-update")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*came back refused:*nonsense*"])


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ('"cat.json", alow="close"', "*webui_capture:*alow*options are endpoint, allow*"),
        ('"cat.json", allow="closer"', "*choose one of identical, close*"),
        ("", "*needs a capture: name one*"),
    ],
)
def test_a_misspelt_marker_fails_the_test(run, beside, sources: str, words: str) -> None:
    beside()
    result = run(sources=sources)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([words])


def test_a_marked_test_that_replays_nothing_is_an_error(run, beside) -> None:
    beside()
    result = run(call="pass")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*webui_replay was never called*"])


def test_a_marked_test_without_the_fixture_is_an_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TEST.format(sources='"cat.json"', call="pass").replace("webui_replay", ""))
    result = pytester.runpytest_inprocess("-p", "payload_replay.pytest_plugin")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*needs the fixture webui_replay*"])


def test_a_capture_of_the_server_and_several(run, beside, captured) -> None:
    beside(id="a")
    captured(id="cat-9")
    run(sources='"cat-9", "cat.json"').assert_outcomes(passed=1)
    run(call='assert len(webui_replay("cat-9")) == 1').assert_outcomes(passed=1)


def test_the_marker_is_listed(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("-p", "payload_replay.pytest_plugin", "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.webui_capture(*"])


def test_in_a_process_of_its_own_and_by_the_environment(
    pytester: pytest.Pytester, beside, fake: FakeWebUI, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside()
    fake.auth = "me:se:cret"
    monkeypatch.setenv("PAYLOAD_REPLAY_SERVER", fake.url)
    monkeypatch.setenv("PAYLOAD_REPLAY_AUTH", fake.auth)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    pytester.makepyfile(TEST.format(sources='"cat.json"', call="webui_replay()"))
    result = pytester.runpytest_subprocess("-p", "payload_replay.pytest_plugin")
    result.assert_outcomes(passed=1)


def test_credentials_without_a_colon(run, beside, monkeypatch: pytest.MonkeyPatch) -> None:
    beside()
    monkeypatch.setenv("PAYLOAD_REPLAY_AUTH", "s3cret")
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*PAYLOAD_REPLAY_AUTH is USER:PASSWORD*"])
    result.stdout.no_fnmatch_line("*s3cret*")


def test_pytest_starts_as_light_as_without(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the client comes in before a test asks for it."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        """
        import sys

        def test_light():
            assert "payload_replay.pytest_plugin" in sys.modules
            heavy = {"requests", "urllib3", "PIL", "typer", "payload_replay.client"}
            assert heavy & set(sys.modules) == set()
        """
    )
    result = pytester.runpytest_subprocess("-p", "payload_replay.pytest_plugin")
    result.assert_outcomes(passed=1)


def test_names_of_folders() -> None:
    assert slug("tests/test_a.py::test_b[x/../y: z]") == "tests-test_a.py-test_b-x-..-y-z"
    assert slug("../..") == "capture"
    assert len(slug("x" * 500)) == 100
