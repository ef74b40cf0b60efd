"""Every form brings the same payload back, and every program the same pictures."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

from exported import NASTY, RUNNERS, SRC, same, surroundings
from fake_webui import FakeWebUI, png
from payload_replay import AssetError, Capture, FormatError, WebUI
from payload_replay.__main__ import main
from payload_replay.capture import EXTRAS_SINGLE, IMG2IMG
from payload_replay.export import FORMATS, SUFFIXES, zipped
from payload_replay.images import hashed, opened
from payload_replay.source import from_bytes

pytestmark = pytest.mark.once

DOCUMENTS = ["json", "payload", "bundle"]
PROGRAMS = sorted(RUNNERS.keys() - {"pytest"})
BESIDE = [name for name, each in FORMATS.items() if each.beside]
AUTH = "user:p w$`'%&ö:x"


@pytest.fixture
def capture(fake: FakeWebUI, captured, picture_in_payload) -> Capture:
    """An img2img whose prompt means something to every shell; one picture is a data URL."""
    blue, red = (png(Image.new("RGB", (16, 16), color)) for color in ("blue", "red"))
    url = "data:image/png;base64," + base64.b64encode(red).decode()
    place, assets = picture_in_payload(blue, False)
    fake.assets[place["$asset"]] = blue
    own = [*NASTY["own"][:-1], {"$$asset": "mine", "a b'\"": [1.0, 1]}]
    drawn = {
        "init_images": [base64.b64encode(blue).decode(), url],
        "mask": None,
        "own": NASTY["own"],
    }
    made = captured(NASTY | drawn | {"batch_size": 2}, endpoint=IMG2IMG)
    payload = made.payload | {"init_images": [place, url], "own": own}
    return dataclasses.replace(
        made, payload=payload, assets=made.assets | assets, template={"init_images": [place]}
    )


def brought_back(capture: Capture, folder: Path) -> None:
    """The pictures in a folder are those of the capture."""
    found = [hashed(opened((folder / f"cat-1-{n}.png").read_bytes())) for n in (1, 2)]
    assert found == [result.sha256 for result in capture.results]


def sent_exactly(fake: FakeWebUI, asked: dict[str, Any]) -> None:
    """One generation was asked for, with the payload as it stands in the capture."""
    (body,) = fake.bodies("POST", IMG2IMG)
    assert same(body, asked)


# ---- programs


@pytest.mark.parametrize("name", RUNNERS)
@pytest.mark.parametrize("auth", [None, "user:p w"])
def test_a_program_brings_the_pictures_back(
    fake: FakeWebUI, webui: WebUI, capture: Capture, tmp_path: Path, name: str, auth: str | None
) -> None:
    data = FORMATS[name](capture, webui.captures.asset)
    file = tmp_path / FORMATS[name].name(capture)
    file.write_bytes(data)
    fake.auth = auth
    RUNNERS[name](file, surroundings(fake.url, auth))
    sent_exactly(fake, capture.request(lambda sha256: fake.assets[sha256]))
    if name in PROGRAMS:
        brought_back(capture, tmp_path)


@pytest.mark.parametrize("name", [name for name in BESIDE if name in RUNNERS])
def test_a_program_reads_its_pictures_from_files(
    fake: FakeWebUI, webui: WebUI, capture: Capture, tmp_path: Path, name: str
) -> None:
    files = FORMATS[name].files(capture, webui.captures.asset)
    program, *pictures = files
    assert pictures == ["cat-1-input-1.png", "cat-1-input-2.png"]
    assert len(files[program]) < 8000, "the pictures are within as well"
    for each, data in files.items():
        (tmp_path / each).write_bytes(data)
    RUNNERS[name](tmp_path / program, surroundings(fake.url))
    sent_exactly(fake, capture.request(webui.captures.asset))
    if name in PROGRAMS:
        brought_back(capture, tmp_path)


@pytest.mark.parametrize("beside", [False, True])
def test_a_browser_brings_the_pictures_back(
    fake: FakeWebUI, webui: WebUI, capture: Capture, tmp_path: Path, page: Page, beside: bool
) -> None:
    fetch = FORMATS["fetch"]
    made = fetch.files(capture, webui.captures.asset) if beside else None
    script = (made or {"cat-1.js": fetch(capture, webui.captures.asset)})["cat-1.js"].decode()
    assert "</script" not in script
    for name, data in (made or {}).items():
        fake.answer("GET", f"/{name}", body=data, type="image/png")
    html = f'<script>WEBUI_URL = "{fake.url}"</script><script type="module">{script}</script>'
    fake.answer("GET", "/page", body=html.encode(), type="text/html; charset=utf-8")
    downloads: list[Any] = []
    page.on("download", lambda download: downloads.append(download))
    page.goto(fake.url + "/page")
    while len(downloads) < 2:
        page.wait_for_timeout(50)
    for download in downloads:
        download.save_as(tmp_path / download.suggested_filename)
    sent_exactly(fake, capture.request(webui.captures.asset))
    brought_back(capture, tmp_path)


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in ("har", "postman")])
def test_an_answer_of_one_picture(fake: FakeWebUI, captured, tmp_path: Path, name: str) -> None:
    """Extras answers with `image`, not with `images`."""
    capture = dataclasses.replace(captured(), endpoint=EXTRAS_SINGLE, payload={"image": "x"})
    data = png(Image.new("RGB", (4, 4), "green"))
    picture = base64.b64encode(data).decode()
    fake.answer("POST", EXTRAS_SINGLE, body={"image": picture, "html_info": ""})
    file = tmp_path / FORMATS[name].name(capture)
    file.write_bytes(FORMATS[name](capture))
    RUNNERS[name](file, surroundings(fake.url))
    assert (tmp_path / "cat-1-1.png").read_bytes() == data


@pytest.mark.parametrize("name", ["curl", "httpie", "requests", "node"])
def test_what_the_server_says_when_it_fails(
    fake: FakeWebUI, captured, tmp_path: Path, name: str
) -> None:
    fake.fails_with = "no memory left"
    file = tmp_path / FORMATS[name].name(captured())
    file.write_bytes(FORMATS[name](captured()))
    with pytest.raises(AssertionError, match="no memory left"):
        RUNNERS[name](file, surroundings(fake.url))


@pytest.mark.parametrize("name", FORMATS)
def test_no_credentials_are_in_an_export(
    fake: FakeWebUI, webui: WebUI, capture: Capture, name: str
) -> None:
    server = fake.url.replace("//", "//someone:secret@")
    data = FORMATS[name](capture, webui.captures.asset, server)
    assert b"secret" not in data
    assert b"someone" not in data
    if name not in (*DOCUMENTS, "pytest"):
        assert fake.url.encode() in data


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - BESIDE))
def test_forms_without_pictures_beside_them(capture: Capture, name: str) -> None:
    with pytest.raises(FormatError, match="these can: curl, "):
        FORMATS[name].files(capture)


def test_the_same_capture_makes_the_same_zip(webui: WebUI, capture: Capture) -> None:
    files = FORMATS["requests"].files(capture, webui.captures.asset)
    assert zipped(files) == zipped(files)
    entries = zipfile.ZipFile(io.BytesIO(zipped(files))).infolist()
    assert [entry.filename for entry in entries] == list(files)
    assert entries[0].compress_size < entries[0].file_size


def test_exporting_needs_the_standard_library_alone() -> None:
    """Loaded under another name, with no site-packages: as the webui extension may."""
    code = (
        "import importlib.util, sys, types\n"
        "package = types.ModuleType('forms')\n"
        f"package.__path__ = [{str(SRC / 'payload_replay')!r}]\n"
        "sys.modules['forms'] = package\n"
        "from forms.export import FORMATS\n"
        "from forms.capture import Capture\n"
        "capture = Capture.from_payload({'prompt': 'a cat'})\n"
        "print(sum(len(form(capture)) > 10 for form in FORMATS.values()))\n"
        "assert 'payload_replay' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True)
    assert int(done.stdout) == len(FORMATS)


# ---- documents


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_exported_asks_for_the_same(webui: WebUI, capture: Capture, name: str) -> None:
    asked = capture.request(webui.captures.asset)
    again = from_bytes(FORMATS[name](capture, webui.captures.asset), "txt2img")
    assert again.request() == asked


def test_json_stands_alone_and_can_be_posted(webui: WebUI, capture: Capture) -> None:
    document = json.loads(FORMATS["json"](capture, webui.captures.asset))
    assert base64.b64decode(document["payload"]["init_images"][0]).startswith(b"\x89PNG")
    assert document["template"] == {"init_images": document["payload"]["init_images"][:1]}
    assert list(document["assets"]) == [result.asset for result in capture.results]
    assert all(asset["data"] for asset in document["assets"].values())
    assert Capture.from_dict(document).results == capture.results


def test_payload_is_nothing_but_the_body(webui: WebUI, capture: Capture) -> None:
    body = json.loads(FORMATS["payload"](capture, webui.captures.asset))
    assert body == capture.request(webui.captures.asset)
    assert body["own"][-1]["$asset"] == "mine"


@pytest.mark.parametrize("name", FORMATS)
def test_a_picture_that_is_not_there(capture: Capture, name: str) -> None:
    with pytest.raises(AssetError):
        FORMATS[name](capture, None)


def test_each_form_has_a_suffix_of_its_own() -> None:
    assert FORMATS.keys() == SUFFIXES.keys()
    assert len(set(SUFFIXES.values())) == len(SUFFIXES)


# ---- the command


@pytest.fixture
def command(fake: FakeWebUI, capture: Capture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PAYLOAD_REPLAY_SERVER", fake.url)
    fake.captures["cat-1"] = capture.to_dict()
    return lambda *arguments: main(["export", "latest", *map(str, arguments)])


def test_a_folder_of_a_program_and_its_pictures(
    fake: FakeWebUI, command, capsys: pytest.CaptureFixture[str], capture: Capture, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "cat"
    assert command("-f", "requests", "--images", "files", "-o", folder, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted(told["files"]) == sorted(path.name for path in folder.iterdir())
    RUNNERS["requests"](folder / "cat-1.requests.py", surroundings(fake.url))
    brought_back(capture, folder)
    assert command("-f", "requests", "--images", "files", "-o", folder) == 2


def test_a_zip_of_a_program_and_its_pictures(command, tmp_path: Path) -> None:
    path = tmp_path / "cat.zip"
    assert command("-f", "curl", "--images", "files", "-o", path) == 0
    assert len(zipfile.ZipFile(path).namelist()) == 3


@pytest.mark.parametrize(
    "arguments", [("-f", "har", "--images", "files"), ("--images", "apart"), ("--json",)]
)
def test_what_cannot_be_exported(command, arguments: tuple[str, ...]) -> None:
    assert command(*arguments) == 2
