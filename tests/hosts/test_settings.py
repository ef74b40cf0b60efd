"""Each option that decides pixels, flipped on a host: the picture changes where it is said to."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from PIL import Image

import flips
from flips import FLIPS, UNCHANGED, Flip
from kinds import Models
from payload_capture.settings import PIXEL_OPTIONS, Option, When, decisive


@dataclass
class Server:
    """A host with its options and the names of its models."""

    url: str
    options: dict[str, Any]
    names: dict[str, str]
    letter: str
    usual: dict[tuple[str, str], str] = field(default_factory=dict)

    def set(self, options: dict[str, Any]) -> None:
        """None stands for the choice "None" (upscaler_for_img2img): the API takes no null."""
        said = {name: "None" if value is None else value for name, value in options.items()}
        requests.post(f"{self.url}/sdapi/v1/options", json=said, timeout=300).raise_for_status()

    def pixels(self, job: str, overrides: dict[str, Any]) -> str:
        """A digest of all pictures that the job returns."""
        payload = flips.filled(flips.payload(job), self.names)
        payload["override_settings"] = flips.filled(overrides, self.names)
        tab = "img2img" if "init_images" in payload else "txt2img"
        answer = requests.post(f"{self.url}/sdapi/v1/{tab}", json=payload, timeout=300)
        assert answer.ok, f"{job} with {overrides}: {answer.status_code} {answer.text[:500]}"
        digest = hashlib.sha256()
        for text in answer.json()["images"]:
            image = Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")
            digest.update(repr(image.size).encode() + image.tobytes())
        return digest.hexdigest()

    def changes(self, flip: Flip) -> bool:
        """Whether the job's pixels are others with the flip's value than with the host's own."""
        given = {**flips.GIVEN.get(flip.job, {}), **flip.given}
        given.pop(flip.name, None)
        case = flip.job, json.dumps(given, sort_keys=True)
        keeps_vae = self.letter == flips.HOSTS["reForge"]  # that of an override
        if keeps_vae or case not in self.usual:
            self.usual[case] = self.put_back(flip.job, given)
        return self.put_back(flip.job, {**given, flip.name: flip.value}) != self.usual[case]

    def put_back(self, job: str, overrides: dict[str, Any]) -> str:
        """The pixels; what config.json does not have is not put back by the webui itself."""
        try:
            return self.pixels(job, overrides)
        finally:
            self.set({name: self.options[name] for name in overrides})


@pytest.fixture(scope="module")
def server(host: str, models: Models, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Without cached conditioning, which a change of some options does not renew."""
    options = requests.get(f"{host}/sdapi/v1/options", timeout=60).json()
    plain = requests.post(f"{host}/sdapi/v1/txt2img", json=flips.payload("plain"), timeout=300)
    info = json.loads(plain.json()["info"])
    infotext = info["infotexts"][0]
    if options["sd_model_checkpoint"] is None:  # reForge, until somebody sets it
        options["sd_model_checkpoint"] = models.checkpoints[
            models.names.index(info["sd_model_name"])
        ]
    real = any(map(request.config.getoption, ("--host", "--host-folder")))
    fork = {"forge_additional_modules": "Forge", "sd_sampling": "reForge"}
    name = next((fork[option] for option in fork if option in options), infotext.split()[-1])
    standin = "stand-in for Forge" if "forge_additional_modules" in options else "stand-in"
    server = Server(host, options, named(models), flips.HOSTS[name if real else standin])
    usual = {"payload_capture_repeatable": False, "persistent_cond_cache": True}
    server.set({"payload_capture_repeatable": True, "persistent_cond_cache": False})
    yield server
    server.set(usual)


def named(models: Models) -> dict[str, str]:
    (vae,) = models.vae.values()
    inpainting = [title for title in models.checkpoints if "inpainting" in title]
    return {
        "checkpoint": models.checkpoints[1],
        "inpainting": [*inpainting, *models.checkpoints][0],
        "vae": vae if isinstance(vae, str) else "None",
        "module": vae[-1] if isinstance(vae, list) else "None",
        "lora": models.loras[0],
    }


@pytest.mark.parametrize("flip", FLIPS, ids=lambda flip: f"{flip.name}-{flip.job}")
def test_a_flip_changes_pixels_where_it_was_seen_to(flip: Flip, server: Server) -> None:
    if {flip.name, *flip.given} - server.options.keys():
        assert server.letter not in flip.seen, "seen on a host that does not have it"
        return
    assert server.changes(flip) is (server.letter in flip.seen)


KINDS: dict[str, list[When]] = {
    "plain": ["always", "txt2img", "faces"],
    "img2img": ["always", "img2img", "faces"],
    "hires": ["always", "txt2img", "hires", "faces"],
    "prompt matrix": ["always", "txt2img", "img2img", "hires", "faces"],
}


@pytest.mark.parametrize("job", KINDS)
def test_pinning_a_hosts_own_options_changes_nothing(job: str, server: Server) -> None:
    """Neither the picture nor the host, though those absent from config.json stay set."""
    server.set(MERGING)
    try:
        before = requests.get(f"{server.url}/sdapi/v1/options", timeout=60).json()
        free = server.pixels(job, {})
        assert server.pixels(job, decisive(before, KINDS[job])) == free
        assert requests.get(f"{server.url}/sdapi/v1/options", timeout=60).json() == before
        assert server.pixels(job, {}) == free
    finally:
        server.set({name: server.options[name] for name in MERGING})


MERGING = {"token_merging_ratio": 0.2, "token_merging_ratio_img2img": 0.6}
"""A pair of which the first, pinned in img2img, would beat the second."""


@pytest.mark.parametrize("flip", UNCHANGED, ids=lambda flip: flip.name)
def test_other_options_leave_the_pixels(flip: Flip, server: Server) -> None:
    if flip.name in server.options:
        assert server.changes(flip) is (server.letter in flip.seen)


def pinned(name: str) -> list[Option]:
    return [option for option in PIXEL_OPTIONS if list(option.of({name: None}))]


@pytest.mark.parametrize("option", PIXEL_OPTIONS, ids=lambda option: option.names)
def test_each_option_was_seen_or_needs_what_no_host_here_has(option: Option) -> None:
    for pattern in option.names.split():
        one = Option(pattern, option.reason)
        seen = any(flip.seen and list(one.of({flip.name: None})) for flip in FLIPS)
        assert seen or option.needs, f"{pattern} was never seen to change a pixel"


def test_flips_are_of_pinned_options_and_the_others_of_none() -> None:
    assert [flip.name for flip in FLIPS if not pinned(flip.name)] == []
    assert [flip.name for flip in UNCHANGED if pinned(flip.name)] == []
