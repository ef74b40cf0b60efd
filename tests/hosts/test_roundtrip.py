"""Each kind of generation: made on the page, captured, sent back, the same picture."""

from __future__ import annotations

import base64
import io
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import requests
from PIL import Image

from all_kinds import KINDS, Kind
from fidelity import NOT_THERE, Outcome
from kinds import Models, Scene, Shown
from payload_replay import WebUI
from payload_replay.capture import Capture, Result
from payload_replay.images import LOSSY, compressed, hashed
from webui_page import NotThere

pytestmark = pytest.mark.waits

API = "/payload-capture/v1"
FORMS = ("exact", "minimal")
LOOKS = 20
"""How often to look for the pictures on the page."""


class Settings:
    """The host's options: a kind's are set for its generation, and set back for the replay."""

    def __init__(self, host: str, models: Models) -> None:
        self._url = f"{host}/sdapi/v1/options"
        self._known = requests.get(self._url, timeout=60).json()
        # Without it an init image's encoding depends on the job before, whatever a payload says.
        self._normal: dict[str, Any] = {
            "sd_model_checkpoint": models.checkpoints[0],
            "payload_capture_repeatable": True,
        }
        self._usual = {"sd_vae": "Automatic", "forge_additional_modules": []}

    def set(self, options: Mapping[str, Any]) -> None:
        """Raises NotThere for an option, or a value for it, that the host does not have."""
        for name, value in options.items():
            if name not in self._known | self._normal or value is None:
                raise NotThere(f"the host has no option {name}")
            before = self._usual.get(name, self._known.get(name))
            self._normal.setdefault(name, before)
        self._post(self._normal | dict(options))

    def reset(self) -> None:
        self._post(self._normal)

    def _post(self, options: Mapping[str, Any]) -> None:
        requests.post(self._url, json=dict(options), timeout=60).raise_for_status()


@pytest.fixture
def settings(host: str, models: Models) -> Iterator[Settings]:
    settings = Settings(host, models)
    yield settings
    settings.reset()


@pytest.mark.parametrize("name", KINDS)
def test_comes_back(
    name: str, scene: Scene, models: Models, client: WebUI, settings: Settings, outcome: Outcome
) -> None:
    kind, host = KINDS[name], scene.host
    before = latest_id(host)
    try:
        settings.set(kind.options(models) if callable(kind.options) else kind.options)
        shown = made(kind, scene)
    except NotThere as missing:
        outcome.say(NOT_THERE, str(missing))
        return
    capture = client.captures.latest()
    assert capture.id != before, "nothing was captured"
    expected = [result.sha256 for result in capture.samples or capture.results]
    assert len(expected) == kind.pictures
    found, wanted = compared(client, capture, shown, bool(models.marks))
    shows = not kind.shown_by or kind.shown_by in models.options
    assert found == (wanted if shows else set())
    assert scene.page.page.title() != "owned"

    if kind.reset:
        settings.reset()
    if kind.raw:
        for form in FORMS:
            again = raw_replay(host, capture.id, form)
            assert again >= set(expected), f"the {form} request, unchanged, made another picture"
    if kind.script:
        plain = made_by(host, without(kind.script, sent(host, capture.id, FORMS[0])))
        assert not plain & set(expected), f"{kind.script} changed nothing"
    state = client.options()
    replay = client.replay(capture)
    outcome.say(replay.verdict, replay.reason)
    allowed = ("identical", "close") if kind.verdict == "as it falls" else (kind.verdict,)
    assert replay.verdict in allowed, replay.reason
    assert re.search(kind.reason, replay.reason)
    assert client.options() == state


def made(kind: Kind, scene: Scene) -> Shown:
    """Make the kind's pictures. Raises NotThere where the host cannot."""
    try:
        shown = kind.arrange(scene)
        if shown is None:
            scene.page.generate()
            shown = scene.page.gallery
    except AssertionError as error:
        if kind.broken and kind.broken in str(error):
            raise NotThere(f"the host's own code fails: {kind.broken}") from error
        raise
    return shown


def latest_id(host: str) -> str | None:
    answer = requests.get(f"{host}{API}/captures", params={"limit": 1}, timeout=60).json()
    return answer["captures"][0]["id"] if answer["captures"] else None


def compared(
    client: WebUI, capture: Capture, shown: Shown, marked: bool
) -> tuple[set[str], set[str]]:
    """The hashes of what was shown, and of what the capture holds: they are to be equal.

    Of lossy files, what they are of. Where the host marks the alpha of what it saves, that of a
    grid with masks is lost.
    """
    captured = [stored(client, result) for result in capture.results]
    for _ in range(LOOKS):
        pictures = shown()
        found = {hashed(picture) for picture in pictures}
        saved = [as_saved(client, one, pictures) for one in captured]
        if marked:
            saved = [one if hashed(one) in found else one.convert("RGB") for one in saved]
        wanted = {hashed(one) for one in saved}
        if found == wanted:
            break
        time.sleep(0.25)
    return found, wanted


def as_saved(client: WebUI, picture: Image.Image, others: Sequence[Image.Image]) -> Image.Image:
    """The picture in the lossy format in which the webui saved those that it shows, if it did.

    reForge marks the alpha of a WebP, by which the colours beside it are written otherwise.
    """
    lossy = [other for other in others if other.format in LOSSY and other.size == picture.size]
    if not lossy:
        return picture
    kind, quality = str(lossy[0].format), int(client.options()["jpeg_quality"])
    if lossy[0].mode != "RGBA":
        return compressed(picture, kind, quality)
    marked, buffer = picture.convert("RGB"), io.BytesIO()
    marked.putalpha(lossy[0].getchannel("A"))
    marked.save(buffer, kind, quality=quality, alpha_quality=100)
    return Image.open(buffer)


def stored(client: WebUI, result: Result) -> Image.Image:
    assert result.asset is not None
    return Image.open(io.BytesIO(client.captures.asset(result.asset)))


def raw_replay(host: str, identity: str, form: str) -> set[str]:
    """Send what ``/captures/{id}/request`` says, with nothing but `requests`."""
    return made_by(host, sent(host, identity, form))


def sent(host: str, identity: str, form: str) -> dict[str, Any]:
    """The endpoint and the payload that bring a capture's pictures."""
    url = f"{host}{API}/captures/{identity}/request"
    answer: dict[str, Any] = requests.get(url, params={"form": form}, timeout=60).json()
    return answer


def made_by(host: str, request: Mapping[str, Any]) -> set[str]:
    answer = requests.post(host + request["endpoint"], json=request["payload"], timeout=120)
    assert answer.ok, answer.text[:1000]
    body = answer.json()
    pictures = (base64.b64decode(t) for t in body.get("images") or [body["image"]])
    return {hashed(Image.open(io.BytesIO(data))) for data in pictures}


def without(title: str, request: dict[str, Any]) -> dict[str, Any]:
    """The request with this always-on script off: by its switch, for some default to on."""
    scripts = request["payload"]["alwayson_scripts"]
    name = next(name for name in scripts if name.lower().startswith(title.lower()))
    args = scripts[name]["args"]
    switch = next((place for place, arg in enumerate(args[:2]) if arg is True), None)
    if switch is None:
        del scripts[name]
    else:
        args[switch] = False
    return request
