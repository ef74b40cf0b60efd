"""What a curl command sends."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exported import NASTY, same
from payload_replay import FormatError, curl
from payload_replay.capture import IMG2IMG, TXT2IMG, UPSCALE

pytestmark = pytest.mark.once

URL = "http://127.0.0.1:7860" + TXT2IMG
BODY: dict[str, Any] = {"prompt": "a cat", "steps": 2}
TEXT = json.dumps(BODY)
payloads = st.dictionaries(st.text(), st.text("\"'\\^%&|<>!\nab ") | st.text() | st.integers())


def bash(text: str) -> str:
    """Chromium's "Copy as cURL (bash)": '…', or $'…' where there is a quote, a control or a "!"."""
    if not re.search(r"[\0-\x1f\x7f-\x9f!]|'", text):
        return f"'{text}'"
    text = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    hexed = re.sub(r"[\0-\x1f\x7f-\x9f!]", lambda m: f"\\u{ord(m[0]):04x}", text)
    return f"$'{hexed}'"


def cmd(text: str) -> str:
    """Chromium's "Copy as cURL (cmd)": backslashes doubled, a caret before all but plain text."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    text = re.sub(r"[^a-zA-Z0-9\s_\-:=+~'/.',?;()*`]", lambda m: "^" + m[0], text)
    text = re.sub(r"%(?=[a-zA-Z0-9_])", "%^", text)
    return '^"' + re.sub(r"\r?\n", "^\n\n", text) + '^"'


@pytest.mark.parametrize("payload", [BODY, NASTY])
@pytest.mark.parametrize("ascii", [True, False])
def test_what_chromium_copies(payload: dict[str, Any], ascii: bool) -> None:
    text = json.dumps(payload, ensure_ascii=ascii)
    for quote, join in ((bash, " \\\n  "), (cmd, " ^\r\n  ")):
        parts = [f"curl {quote(URL)}", f"-H {quote('Accept: */*')}", f"--data-raw {quote(text)}"]
        endpoint, found = curl.read(join.join([*parts, "--compressed", "--insecure"]))
        assert endpoint == TXT2IMG
        assert same(found, payload)


@given(payloads)
def test_whatever_chromium_copies(payload: dict[str, Any]) -> None:
    text = json.dumps(payload)
    for quote in (bash, cmd):
        assert curl.read(f"curl {quote(URL)} --data-raw {quote(text)}")[1] == payload


@pytest.mark.parametrize(
    "options",
    [
        ["-d", TEXT],
        [f"-d{TEXT}"],
        ["-sSLd", TEXT],
        ["--json", TEXT],
        ["-X", "POST", "--data", TEXT, "-u", "user:secret", "--max-time", "5"],
        ["-H", "Content-Type: application/json", "--data-binary", TEXT, "-o", "/tmp/a"],
        ["--data-ascii", TEXT, "--compressed", "-k"],
        ["-d", '{"prompt": "a cat"', "-d", '"steps": 2}'],
    ],
)
def test_options(options: list[str]) -> None:
    if options.count("-d") == 2:  # curl joins them with an ampersand
        with pytest.raises(FormatError, match="not JSON"):
            curl.read(shlex.join(["curl", URL, *options]))
        return
    for words in (
        ["curl", URL, *options],
        ["curl", *options, URL],
        ["/usr/bin/curl", *options, "--url", URL],
    ):
        assert curl.read(shlex.join(words)) == (TXT2IMG, BODY)


def test_a_users_name_and_password_stay_behind() -> None:
    assert "secret" not in str(
        curl.read(f"curl -u a:secret http://a:secret@h{TXT2IMG} -d '{TEXT}'")
    )


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        (f"https://h/sd{IMG2IMG}?x=1", IMG2IMG),
        (f"[::1]:7860{TXT2IMG}", TXT2IMG),
        (f"http://h{UPSCALE}", UPSCALE),
    ],
)
def test_addresses(url: str, endpoint: str) -> None:
    assert curl.endpoint(url) == endpoint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"curl {URL}", "POSTs nothing"),
        (f"curl -X PUT {URL} -d '{TEXT}'", "POSTs nothing"),
        (f"curl -F a=b {URL}", "-F sends no JSON"),
        (f"curl -G {URL} -d '{TEXT}'", "sends no JSON"),
        (f"curl {URL} -d 'a=b'", "not JSON"),
        (f'curl {URL} -d "$BODY"', r"\$BODY, which only the shell"),
        (f"curl {URL} -d '[]'", "is a list"),
        (f"curl http://h/run/predict -d '{TEXT}'", "no path of the webui's API"),
        (f"curl {URL} -d '{TEXT}'; curl {URL} -d '{TEXT}'", "2 curl commands"),
        (f"curl {URL} -d @body.json", "only with --files"),
        (f"curl {URL} -d @-", "from standard input: put it into a file"),
        (f"curl {URL} -d @- < body.json", "from standard input: put it into a file"),
        (f"curl {URL} -d '{'[' * 10_000}'", "nested too deeply"),
    ],
)
def test_what_cannot_be_read(text: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        curl.read(text)


def test_files_beside_the_command(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (folder / "body.json").write_text(json.dumps(BODY, indent=2))
    (tmp_path / "secret.json").write_text("{}")
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    for option in ("-d", "--data-binary", "--json"):
        assert curl.read(f"curl {URL} {option} @body.json", folder) == (TXT2IMG, BODY)
    for name in ("../secret.json", str(tmp_path / "secret.json"), "link.json"):
        with pytest.raises(FormatError, match="outside"):
            curl.read(f"curl {URL} -d @{name}", folder)
    with pytest.raises(FormatError, match="cannot be read"):
        curl.read(f"curl {URL} -d @none.json", folder)
    with pytest.raises(FormatError, match="not JSON"):
        curl.read(f"curl {URL} --data-raw @body.json", folder)


def test_more_than_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curl, "MAX_CHARACTERS", 100)
    with pytest.raises(FormatError, match="more than"):
        curl.read(f"curl {URL} -d '{' ' * 100}'")


@pytest.mark.parametrize("piece", [" ", "\n", "\t\r\n"])
def test_long_texts_are_read_in_one_go(piece: str) -> None:
    """What goes back over blanks that it has read would not end here before pytest ends it."""
    text = piece * (1_000_000 // len(piece))
    with pytest.raises(FormatError, match="0 curl commands"):
        curl.read(text)
    assert not any(curl.is_command(text) for _ in range(500))


@pytest.mark.parametrize("before", ["", "\n \n", "  ", "$ ", "\n> ", "\r\n\t$ "])
def test_where_a_command_may_begin(before: str) -> None:
    assert curl.is_command(f"{before}curl.exe {URL}")
    assert curl.is_command(f"# a cat\n{before}http {URL}")
    assert not curl.is_command(f"{before}curly {URL}")
    assert not curl.is_command(f"a cat {before.strip()} curl {URL}")


@pytest.mark.parametrize("before", ["@echo off\n", "\n @ECHO OFF\r\n", " ^\r\n", "\n^\n"])
def test_how_a_batch_file_begins(before: str) -> None:
    body = TEXT.replace('"', '\\"')
    assert curl.read(f'{before}curl {URL} -d "{body}"') == (TXT2IMG, BODY)


@given(st.text("curl -d@\"'\\^$ \n{}:http/sdapi") | st.text())
def test_anything_ends_in_a_payload_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(FormatError):
        curl.read("curl " + text)
