"""A recorded webui as its client sees it: answers, modes, misses, and whatever is sent to it."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from fake_webui import API, FakeWebUI, png
from payload_replay import BadSource, InvalidPayload, WebUI
from payload_replay import serve as module
from payload_replay.__main__ import main
from payload_replay.captions import INTERROGATE
from payload_replay.capture import BATCH, EXTRAS, IMG2IMG, TXT2IMG
from payload_replay.images import decode
from payload_replay.recordings import Recordings
from payload_replay.serve import Recorded
from payload_replay.site import SHOWN
from webui_standin import Process

pytestmark = pytest.mark.once

CAT: dict[str, Any] = {"prompt": "a cat", "seed": 7, "steps": 2, "width": 16, "height": 16}


def post(url: str, payload: Any = None, path: str = TXT2IMG, **more: Any) -> requests.Response:
    return requests.post(url + path, json=payload, timeout=30, **more)


def hashes(answer: dict[str, Any]) -> list[str | None]:
    return [picture.sha256 for picture in decode(answer["images"])]


@pytest.fixture
def url(folder) -> Iterator[str]:
    with Recorded(folder()) as url:
        yield url


def test_it_answers_what_was_recorded(folder) -> None:
    recorded = Recorded(folder())
    with recorded as url:
        answer = post(url, CAT | {"save_images": True})
    assert answer.status_code == 200
    (picture,) = decode(answer.json()["images"])
    (one,) = recorded.recordings.all()
    assert picture.sha256 == one.bare.results[0].sha256
    assert (recorded.misses, recorded.unplayed, recorded.recording) == ([], [], False)
    assert [(event.status, event.file) for event in recorded.events] == [(200, one.path)]


def test_a_miss_lists_the_nearest_and_what_differs(folder) -> None:
    folder({"cfg_scale": 3.0}, id="other")
    recorded = Recorded(folder())
    with recorded as url:
        answer = post(url, CAT | {"seed": 8, "prompt": "a dog"})
    told = answer.json()
    assert answer.status_code == 404
    assert list(told) == ["error", "detail", "body", "errors", "nearest"]
    assert told["error"] == "NoRecording"
    assert told["nearest"][0] == {
        "id": "cat-1",
        "file": "cat-1.json",
        "differences": [
            {"path": "prompt", "recorded": "'a cat'", "sent": "'a dog'"},
            {"path": "seed", "recorded": "7", "sent": "8"},
        ],
        "count": 2,
    }
    assert "seed: recorded 7, sent 8" in told["detail"]
    assert recorded.misses[0].note == told["detail"]


def test_a_miss_is_what_has_no_recording(folder, fake: FakeWebUI, tmp_path: Path) -> None:
    recorded = Recorded(folder())
    with recorded as url:
        assert post(url, CAT | {"seed": 8}, f"{TXT2IMG}?x=1").status_code == 404
        assert requests.get(f"{url}/nothing", timeout=30).status_code == 404
    assert [one.path for one in recorded.misses] == [f"{TXT2IMG}?x=1"]
    fake.answer("POST", TXT2IMG, 404, {"detail": "Sampler not found"})
    recording = Recorded(tmp_path / "new", record_from=fake.url)
    with recording as url:
        assert post(url, CAT).json() == {"detail": "Sampler not found"}
    assert recording.misses == []


def test_our_own_client_says_what_differs(url: str) -> None:
    with pytest.raises(InvalidPayload, match="seed: recorded 7, sent 8"):
        WebUI(url).txt2img(CAT | {"seed": 8})


def test_a_miss_where_nothing_is_of_that_endpoint(url: str) -> None:
    detail = post(url, CAT, IMG2IMG).json()["detail"]
    assert detail.endswith(f"there are recordings of {TXT2IMG}")


def test_many_differences_are_cut(url: str) -> None:
    told = post(url, {f"field{n}": n for n in range(100)} | CAT).json()
    assert len(told["nearest"][0]["differences"]) == SHOWN
    assert "and 92 more" in told["detail"]


def test_the_companion_replays_against_it(folder, url: str) -> None:
    capture = Recordings(folder()).all()[0].capture()
    assert WebUI(url).replay(capture).verdict == "identical"


@pytest.mark.parametrize("endpoint", [EXTRAS, BATCH])
def test_run_routes(folder, endpoint: str) -> None:
    payload = {"images": ["x"], "scripts": {}}
    home = folder(endpoint=endpoint, payload=payload)
    with Recorded(home) as url:
        assert post(url, payload, endpoint).json()["images"]
        assert endpoint in WebUI(url).captures.status()["runs"]


def test_lists_and_options(url: str) -> None:
    client = WebUI(url)
    assert [one["name"] for one in client.samplers()] == ["Euler"]
    assert client.call("GET", f"{API}/progress?skip_current_image=true")["progress"] == 0
    client.set_options({"CLIP_stop_at_last_layers": 2})
    assert client.options()["CLIP_stop_at_last_layers"] == 2
    assert client.call("POST", f"{API}/interrupt", {}) == {}
    assert requests.get(f"{url}{API}/nothing", timeout=30).json() == {"detail": "Not Found"}
    assert requests.get(url + TXT2IMG, timeout=30).status_code == 405
    assert post(url, {}, f"{API}/samplers").status_code == 405


def test_changed_options_count(folder) -> None:
    with Recorded(folder({"override_settings": {"CLIP_stop_at_last_layers": 1}})) as url:
        assert post(url, CAT).ok
        WebUI(url).set_options({"CLIP_stop_at_last_layers": 2})
        answer = post(url, CAT)
    assert answer.status_code == 404
    assert answer.json()["nearest"][0]["differences"][0]["path"] == (
        "options.CLIP_stop_at_last_layers"
    )


def test_png_info(url: str) -> None:
    (image,) = post(url, CAT).json()["images"]
    told = post(url, {"image": image}, f"{API}/png-info").json()
    assert set(told) == {"info", "items", "parameters"}
    assert post(url, {"image": "x"}, f"{API}/png-info").status_code == 500


# ---- modes


def test_none_never_contacts_a_server(folder, fake: FakeWebUI) -> None:
    with Recorded(folder(), mode="none", record_from=fake.url) as url:
        assert post(url, CAT).ok
        assert post(url, CAT | {"seed": 8}).status_code == 404
        assert requests.get(f"{url}{API}/samplers", timeout=30).ok
    assert fake.asked == []


def test_once_records_into_an_empty_folder_only(fake: FakeWebUI, tmp_path: Path) -> None:
    home = tmp_path / "new"
    with Recorded(home, record_from=fake.url) as url:
        assert post(url, CAT).ok
        assert post(url, CAT | {"seed": 8}).ok
        assert post(url, CAT).ok
    assert len(fake.bodies("POST", TXT2IMG)) == 2
    assert len(list(home.glob("*.json"))) == 2
    again = Recorded(home, mode="once", record_from=fake.url)
    with again as url:
        assert post(url, CAT).ok
        assert post(url, CAT | {"seed": 9}).status_code == 404
    assert not again.recording
    assert len(fake.bodies("POST", TXT2IMG)) == 2


@pytest.mark.parametrize("mode", ["new", "new_episodes"])
def test_new_records_what_was_not(folder, fake: FakeWebUI, mode: str) -> None:
    home = folder()
    recorded = Recorded(home, mode=mode, record_from=fake.url)
    with recorded as url:
        assert post(url, CAT).ok
        assert fake.bodies("POST", TXT2IMG) == []
        first = post(url, CAT | {"seed": 8}).json()
        assert post(url, CAT | {"seed": 8}).json()["images"] == first["images"]
    assert len(fake.bodies("POST", TXT2IMG)) == 1
    with Recorded(home) as url:
        assert post(url, CAT | {"seed": 8}).json()["images"] == first["images"]


def test_all_records_everything_anew(folder, fake: FakeWebUI) -> None:
    home = folder()
    with Recorded(home, mode="all", record_from=fake.url) as url:
        assert post(url, CAT).ok
        assert post(url, CAT).ok
    assert len(fake.bodies("POST", TXT2IMG)) == 2
    assert len(list(home.glob("*.json"))) == 3


def test_equal_requests_at_once_are_recorded_once(fake: FakeWebUI, tmp_path: Path) -> None:
    with Recorded(tmp_path, record_from=fake.url) as url, ThreadPoolExecutor(8) as pool:
        answers = [one.json()["images"] for one in pool.map(lambda _: post(url, CAT), range(8))]
    assert all(one == answers[0] for one in answers)
    assert len(fake.bodies("POST", TXT2IMG)) == 1


def test_lists_of_the_real_server_are_kept(fake: FakeWebUI, tmp_path: Path) -> None:
    with Recorded(tmp_path, record_from=fake.url) as url:
        real = WebUI(url).upscalers()
        WebUI(url).set_options({"sd_vae": "soft.vae.pt"})
        assert fake.options["sd_vae"] == "soft.vae.pt"
        post(url, CAT)
    with Recorded(tmp_path) as url:
        assert WebUI(url).upscalers() == real == [{"name": "Lanczos"}]


def test_its_passwords_are_not_kept(fake: FakeWebUI, tmp_path: Path) -> None:
    fake.lists["cmd-flags"] = {"api": True, "api_auth": "me:s3cret", "gradio_auth": "me:s3cret"}
    fake.options["civitai_api_key"] = "s3cret"
    with Recorded(tmp_path, record_from=fake.url) as url:
        assert WebUI(url).cmd_flags()["api_auth"] == "me:s3cret"
        assert WebUI(url).options()["civitai_api_key"] == "s3cret"
        WebUI(url).set_options({"civitai_api_key": "s3cret"})
        assert post(url, CAT).ok
    assert len(list(tmp_path.iterdir())) == 2
    assert not [path for path in tmp_path.iterdir() if "s3cret" in path.read_text()]
    with Recorded(tmp_path) as url:
        assert WebUI(url).cmd_flags()["api_auth"] is None


def test_a_full_disk_does_not_cost_the_answer(fake: FakeWebUI, tmp_path: Path, full_disk) -> None:
    recorded = Recorded(tmp_path, record_from=fake.url)
    with recorded as url, full_disk():
        assert post(url, CAT).json()["images"]
        assert WebUI(url).upscalers() == [{"name": "Lanczos"}]
    assert list(tmp_path.iterdir()) == []
    assert recorded.lost == 2
    for event in recorded.events:
        assert event.lost
        assert "not recorded: it cannot be written" in event.note
        assert "No space left" in event.note


def test_once_records_where_no_file_is_of_use(fake: FakeWebUI, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    recorded = Recorded(tmp_path, mode="once", record_from=fake.url)
    assert recorded.recording
    with recorded as url:
        assert post(url, CAT).ok
    assert [one.path.name for one in recorded.broken] == ["bad.json"]
    assert (tmp_path / "bad.json").read_text() == "{"
    assert not Recorded(tmp_path, mode="once", record_from=fake.url).recording


def test_captions_are_recorded_and_answered(fake: FakeWebUI, tmp_path: Path) -> None:
    fake.answer("POST", INTERROGATE, 200, {"caption": "a cat"})
    red, blue = (png(Image.new("RGB", (8, 8), colour)) for colour in ("red", "blue"))
    with Recorded(tmp_path, record_from=fake.url) as url:
        assert WebUI(url).interrogate(red) == WebUI(url).interrogate(red) == "a cat"
        assert len(fake.bodies("POST", INTERROGATE)) == 1
        fake.answer("POST", INTERROGATE, 200, {"caption": "1girl"})
        assert WebUI(url).interrogate(red, "deepdanbooru") == "1girl"
    again = Recorded(tmp_path, mode="once", record_from=fake.url)
    with again as url, pytest.raises(InvalidPayload, match="there are 2, none of this picture"):
        WebUI(url).interrogate(blue)
    recorded = Recorded(tmp_path)
    with recorded as url:
        assert WebUI(url).interrogate(red) == "a cat"
        with pytest.raises(InvalidPayload, match="there is one by clip, deepdanbooru"):
            WebUI(url).interrogate(red, "other")
        assert post(url, {"image": 7}, INTERROGATE).status_code == 422
        assert requests.get(url + INTERROGATE, timeout=30).status_code == 405
    assert [one.path for one in recorded.misses] == [INTERROGATE]
    assert recorded.events[0].file == tmp_path / "captions.json"
    with Recorded(tmp_path, mode="new", record_from=fake.url) as url:
        assert WebUI(url).interrogate(blue) == "1girl"
    with Recorded(tmp_path, mode="all", record_from=fake.url) as url:
        assert WebUI(url).interrogate(red) == "1girl"
    assert len(fake.bodies("POST", INTERROGATE)) == 4


def test_a_real_server_that_fails_or_is_gone(fake: FakeWebUI, tmp_path: Path) -> None:
    fake.answer("POST", TXT2IMG, 500, {"error": "OutOfMemoryError", "errors": "no memory"})
    with Recorded(tmp_path, record_from=fake.url) as url:
        assert post(url, CAT).json() == {"error": "OutOfMemoryError", "errors": "no memory"}
    with Recorded(tmp_path, record_from="http://127.0.0.1:9") as url:
        answer = post(url, CAT)
    assert answer.status_code == 502
    assert "is the webui running" in answer.json()["detail"]
    assert list(tmp_path.iterdir()) == []


def test_against_a_webui_with_the_extension(standin: Process, tmp_path: Path) -> None:
    """Recorded once, answered without it; and its own captures answer as well."""
    payload = {"prompt": "hills", "steps": 2, "width": 64, "height": 64}
    with Recorded(tmp_path / "a", record_from=standin.url) as url:
        first = post(url, payload).json()
    with Recorded(tmp_path / "a") as url:
        again = post(url, payload).json()
        seed = json.loads(again["info"])["seed"]
        assert post(url, payload | {"seed": seed}).ok
    assert again["images"] == first["images"]
    assert again["parameters"] == first["parameters"]
    server = ["--server", standin.url]
    (tmp_path / "b").mkdir()
    assert main(["export", "latest", "--out", str(tmp_path / "b" / "x.json"), *server]) == 0
    with Recorded(tmp_path / "b") as url:
        assert hashes(post(url, payload).json()) == hashes(first)
        assert post(url, payload | {"seed": seed}).ok
        assert post(url, payload | {"steps": 3}).status_code == 404


# ---- what cannot be served


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "newest"}, "choose one of none, once, new, new_episodes, all"),
        ({"mode": "new"}, "needs a real server"),
        ({"port": 70_000}, "0 to 65535"),
        ({"host": "256.1.1.1"}, "cannot listen"),
    ],
)
def test_wrong_options(folder, options: dict[str, Any], words: str) -> None:
    with pytest.raises(BadSource, match=words):
        Recorded(folder(), **options)


def test_a_port_that_is_taken(folder) -> None:
    first = Recorded(folder())
    with first, pytest.raises(BadSource, match="is taken: choose another, or 0"):
        Recorded(folder(), port=int(first.url.rpartition(":")[2]))


def test_nothing_to_answer_with(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="no capture to answer with"):
        Recorded(tmp_path)


def test_strict(folder) -> None:
    home = folder()
    (home / "bad.json").write_text("{")
    with Recorded(home) as url:
        assert post(url, CAT).ok
    with pytest.raises(BadSource, match=r"bad\.json: not JSON"):
        Recorded(home, strict=True)


def test_many_clients_at_once(folder) -> None:
    for seed in range(4):
        home = folder({"seed": seed}, id=f"cat-{seed}")

    with Recorded(home) as address, ThreadPoolExecutor(16) as pool:

        def ask(number: int) -> bool:
            info = json.loads(post(address, CAT | {"seed": number % 4}).json()["info"])
            return bool(info["seed"] == number % 4)

        assert all(pool.map(ask, range(64)))


# ---- the command


def test_the_command_serves_until_ctrl_c(folder, started) -> None:
    home = folder()
    (home / "bad.json").write_text("{")
    process = started("serve", "--port", "0", str(home), "--json")
    ready = json.loads(process.stdout.readline())
    assert {k: ready[k] for k in ("mode", "recording", "recordings", "skipped")} == {
        "mode": "none",
        "recording": False,
        "recordings": 1,
        "skipped": 1,
    }
    assert post(ready["url"], CAT).ok
    event = json.loads(process.stdout.readline())
    assert (event["status"], event["file"]) == (200, str(home / "cat-1.json"))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "bad.json: not JSON" in err
    assert "Traceback" not in out + err


def test_the_command_tells_at_its_end_what_was_not_kept(
    fake: FakeWebUI, started, tmp_path: Path
) -> None:
    home = tmp_path / "captures"
    process = started("serve", "--port", "0", str(home), "--record-from", fake.url, "--json")
    ready = json.loads(process.stdout.readline())
    home.rename(tmp_path / "gone")
    assert post(ready["url"], CAT).ok
    event = json.loads(process.stdout.readline())
    assert (event["status"], event["lost"]) == (200, True)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"1 answers could not be written into {home}" in err


def test_the_command_in_plain_lines(folder, started) -> None:
    process = started("serve", "--port", "0", str(folder()))
    address = process.stdout.readline().split()[0]
    post(address, CAT | {"seed": 8})
    status, method, path, note = process.stdout.readline().rstrip("\n").split("\t")
    assert (status, method, path) == ("404", "POST", TXT2IMG)
    assert "seed: recorded 7, sent 8" in note


@pytest.mark.parametrize("arguments", [["nowhere"], ["."], [".", "--mode", "x"]])
def test_the_command_refuses(
    arguments: list[str], tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["serve", *arguments]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_strict_exits_2(folder, capsys: pytest.CaptureFixture[str]) -> None:
    home = folder()
    (home / "bad.json").write_text("{")
    assert main(["serve", str(home), "--strict", "--port", "0"]) == 2
    assert "bad.json" in capsys.readouterr().err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--help"]) == 0
    assert "Example: payload-replay serve" in capsys.readouterr().out


def test_it_ends_with_its_thread_and_its_client(
    fake: FakeWebUI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    monkeypatch.setattr(WebUI, "close", lambda client: closed.append(client.url))
    with Recorded(tmp_path, record_from=fake.url) as url:
        assert post(url, CAT).ok
        assert threads() == [module.THREAD]
    assert threads() == []
    assert closed == [fake.url]
    with pytest.raises(requests.ConnectionError):
        post(url, CAT)


def test_a_client_of_somebody_else_stays_open(
    webui: WebUI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(WebUI, "close", lambda client: closed.append(client.url))
        with Recorded(tmp_path, record_from=webui) as url:
            assert post(url, CAT).ok
    assert closed == []


def threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == module.THREAD]
