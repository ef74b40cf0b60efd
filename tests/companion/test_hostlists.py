"""What a recorded server lists, made of what captures say of their host."""

from __future__ import annotations

from typing import Any

import pytest

from payload_replay import Capture, WebUI, preflight
from payload_replay.capture import IMG2IMG, TXT2IMG, Extension, Host, Model
from payload_replay.hostlists import API, COMMANDS, IDLE, RECORDED, public, told
from webui_standin import Process

pytestmark = pytest.mark.once

ALPHA = Model("alpha.ckpt [0123456789]", "alpha", "0123456789", "0" * 64)
HOST = Host(
    checkpoint=ALPHA,
    vae=Model("soft.vae.pt"),
    loras=[Model("style", "style")],
    embeddings=[Model("easy", "easy")],
    extensions=[Extension("adetailer", "24.1")],
    settings={"samples_format": "webp"},
)


def capture(payload: dict[str, Any], endpoint: str = TXT2IMG) -> Capture:
    made = Capture.from_payload(payload, endpoint)
    return Capture(1, made.id, endpoint, made.payload, host=HOST)


def test_names_that_captures_use() -> None:
    first = capture(
        {
            "prompt": "a <lora:ink:1> <hypernet:old:1>",
            "sampler_name": "DDIM",
            "scheduler": "SGM Uniform",
            "hr_upscaler": "Latent (nearest)",
            "hr_sampler_name": "Use same sampler",
            "styles": ["painted"],
            "override_settings": {"sd_vae": "other.vae.pt", "CLIP_stop_at_last_layers": 2},
            "alwayson_scripts": {"Tint": {"args": [True, 0.5, None]}},
        }
    )
    second = capture({"script_name": "Loopback", "script_args": [3]}, IMG2IMG)
    lists = {path.removeprefix(API): made for path, made in told([first, second]).items()}
    assert [one["name"] for one in lists["samplers"]] == ["DDIM"]
    assert [one["name"] for one in lists["schedulers"]] == ["automatic", "sgm_uniform"]
    assert [one["name"] for one in lists["latent-upscale-modes"]] == ["Latent", "Latent (nearest)"]
    assert [one["name"] for one in lists["upscalers"]] == ["None"]
    assert [one["title"] for one in lists["sd-models"]] == [ALPHA.title]
    assert [one["model_name"] for one in lists["sd-vae"]] == ["soft.vae.pt", "other.vae.pt"]
    assert [one["name"] for one in lists["loras"]] == ["style", "ink"]
    assert [one["name"] for one in lists["hypernetworks"]] == ["old"]
    assert list(lists["embeddings"]["loaded"]) == ["easy"]
    assert [one["name"] for one in lists["prompt-styles"]] == ["painted"]
    assert lists["scripts"] == {"txt2img": ["tint"], "img2img": ["loopback"]}
    assert [(one["name"], len(one["args"])) for one in lists["script-info"]] == [
        ("tint", 3),
        ("loopback", 1),
    ]
    assert [one["version"] for one in lists["extensions"]] == ["24.1"]
    options = lists["options"]
    assert options["sd_model_checkpoint"] == ALPHA.title
    assert (options["CLIP_stop_at_last_layers"], options["samples_format"]) == (2, "webp")


def test_no_list_of_a_webui_is_missing(standin: Process) -> None:
    """Each has the type and the entries' keys of a running webui's own."""
    client = WebUI(standin.url, timeout=60)
    client.txt2img({"prompt": "hills", "steps": 1, "width": 64, "height": 64})
    made = told([client.captures.latest()])
    for path in made:
        if path in (f"{API}sd-modules", f"{API}cmd-flags", f"{API}memory"):
            continue
        real = client.call("GET", path)
        assert type(made[path]) is type(real), path
        if isinstance(real, list) and real and made[path]:
            assert set(made[path][0]) == set(real[0]), path
    assert set(IDLE) == set(client.call("GET", f"{API}progress"))
    for path, answer in COMMANDS.items():
        assert client.call("POST", path, {}) == answer, path
    assert set(made) - set(RECORDED) == {f"{API}cmd-flags"}, "which tells passwords"


def test_a_capture_passes_the_preflight_of_its_own_lists(fake) -> None:
    one = capture({"prompt": "<lora:style:1> easy", "sampler_name": "DDIM", "styles": ["painted"]})
    for path, made in told([one]).items():
        fake.answer("GET", path, body=made)
    assert preflight.blocking(WebUI(fake.url), one) is None


def test_what_is_kept_of_a_server_holds_no_secrets() -> None:
    assert f"{API}cmd-flags" not in RECORDED
    secret = ("civitai_api_key", "openai_apikey", "hf_token", "proxy_password", "key", "AUTH_TOKEN")
    plain = {"token_merging_ratio": 0.5, "keyedit_precision_attention": 0.1, "sd_vae": "Automatic"}
    assert public(f"{API}options", plain | dict.fromkeys(secret, "s3cret")) == plain
    remotes = [
        "https://me:s3cret@example.com/x.git",
        "https://example.com/a@b",
        "git@example.com:x",
    ]
    told_ = public(f"{API}extensions", [{"remote": one, "enabled": True} for one in remotes])
    assert [one["remote"] for one in told_] == ["https://example.com/x.git", *remotes[1:]]
    assert public(f"{API}options", None) is None
    assert public(f"{API}samplers", ["key"]) == ["key"]
