"""The routes over real sockets, and who they let in."""

from __future__ import annotations

import base64
import contextlib
import io
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from PIL import Image

from payload_capture import routes
from payload_capture.answers import PREFIX
from payload_capture.capture import Capture, pixel_hash
from payload_capture.shapes import FORMS, SELECTIONS
from payload_capture.store import StoreError

from .conftest import Host, Start


@pytest.fixture(scope="module")
def captured(host: Host) -> Capture:
    host.generate(prompt="a first fox", seed=7).raise_for_status()
    host.generate(prompt="second <b>fox</b> \ud83e\udd8a", seed=-1).raise_for_status()
    return Capture.from_dict(host.latest())


def error(answer: requests.Response) -> tuple[int, str, Any]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "field"}
    assert body["error"]["message"]
    return answer.status_code, body["error"]["code"], body["error"]["field"]


def test_lists_newest_first_with_what_a_list_shows(host: Host, captured: Capture) -> None:
    listed = host.json("/captures")
    assert [c["prompt"][:8] for c in listed["captures"][:2]] == ["second <", "a first "]
    first = listed["captures"][0]
    assert first["id"] == captured.id
    assert (first["source"], first["state"], first["size"]) == ("api", "ok", [64, 64])
    assert first["seed"] == captured.payload["seed"] >= 0
    assert listed["next"] is None


def test_pages(host: Host, captured: Capture) -> None:
    page = host.json("/captures", limit=1)
    (following,) = host.json("/captures", limit=1, cursor=page["next"])["captures"]
    assert [page["captures"][0]["id"], following["prompt"]] == [captured.id, "a first fox"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "SECOND"}, 1),
        ({"q": "sec fox"}, 1),
        ({"q": "first second"}, 0),
        ({"kind": "txt2img", "starred": "false", "trashed": "0"}, 2),
        ({"kind": "inpaint"}, 0),
        ({"trashed": "true"}, 0),
        ({"since": "2020-01-01T00:00:00Z"}, 2),
        ({"until": "2020-01-01T00:00:00+02:00"}, 0),
        ({"verdict": "identical"}, 0),
        ({"endpoint": "/sdapi/v1/txt2img"}, 2),
        ({"endpoint": "/sdapi/v1/img2img"}, 0),
        ({"source": "api"}, 2),
        ({"source": "ui"}, 0),
    ],
)
def test_filters(host: Host, captured: Capture, query: dict[str, str], found: int) -> None:
    assert len(host.json("/captures", **query)["captures"]) == found


def test_the_request_sent_unchanged_makes_the_same_picture(host: Host, captured: Capture) -> None:
    sent = host.json("/captures/latest/request")
    assert (sent["method"], sent["endpoint"]) == ("POST", "/sdapi/v1/txt2img")
    answer = requests.post(host.url + sent["endpoint"], json=sent["payload"], timeout=60)
    (picture,) = (Image.open(io.BytesIO(base64.b64decode(i))) for i in answer.json()["images"])
    kept = host.get(f"/captures/{captured.id}/results/0")
    assert kept.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(kept.content)).tobytes() == picture.tobytes()


def test_pictures_by_hash(host: Host, captured: Capture) -> None:
    for sha256, asset in captured.assets.items():
        answer = host.get(f"/assets/{sha256}")
        assert answer.headers["content-type"] == asset.media_type
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert len(answer.content) == asset.size


def test_img2img_pictures_are_inlined(host: Host) -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "orange").save(out, "PNG")
    picture = base64.b64encode(out.getvalue()).decode()
    host.generate("img2img", init_images=[picture], mask=picture).raise_for_status()
    document = host.latest()
    (init,) = document["payload"]["init_images"]
    assert set(init) == {"$asset"}
    payload = host.json("/captures/latest/request")["payload"]
    for text in (*payload["init_images"], payload["mask"]):
        sent = Image.open(io.BytesIO(base64.b64decode(text)))
        assert sent.getpixel((3, 3)) == (255, 165, 0)


@pytest.mark.parametrize(
    ("path", "status", "code", "field"),
    [
        ("/captures/nothing", 404, "not_found", "id"),
        ("/captures/nothing/request", 404, "not_found", "id"),
        ("/captures/latest/results/99", 404, "not_found", "n"),
        ("/captures/nothing/results/0", 404, "not_found", "id"),
        ("/captures/latest/results/x", 400, "bad_parameter", "n"),
        ("/assets/" + "0" * 64, 404, "not_found", "sha256"),
        ("/assets/..%2f..%2fconfig.json", 404, "not_found", None),
        ("/captures?limit=0", 400, "bad_parameter", "limit"),
        ("/captures?limit=x", 400, "bad_parameter", "limit"),
        ("/captures?cursor=1;2", 400, "bad_parameter", "cursor"),
        ("/captures?source=page", 400, "bad_parameter", "source"),
        ("/captures?since=yesterday", 400, "bad_parameter", "since"),
        ("/captures?starred=perhaps", 400, "bad_parameter", "starred"),
        ("/captures?cursor=1.5", 400, "bad_parameter", "cursor"),
        ("/captures?cursor=1&since=2026-01-01", 400, "bad_parameter", "cursor"),
        ("/captures?colour=red", 400, "bad_parameter", "colour"),
        ("/captures?cursor=-1.x", 400, "bad_parameter", "cursor"),
        ("/captures?cursor=" + "9" * 19, 400, "bad_parameter", "cursor"),
        ("/captures?cursor=%D9%A3", 400, "bad_parameter", "cursor"),
        ("/search", 400, "bad_parameter", "q"),
        ("/search?q=%20%09", 400, "bad_parameter", "q"),
        ("/captures/nothing/summary", 404, "not_found", "id"),
        ("/captures/nothing/export", 404, "not_found", "id"),
        ("/captures/latest/export?format=pickle", 400, "bad_parameter", "format"),
        ("/captures/latest/export?format=har&beside=1", 400, "bad_parameter", "beside"),
        ("/captures/latest/export?format=curl&server=x", 400, "bad_parameter", "server"),
        ("/replays/nothing", 404, "not_found", "job"),
        ("/diff?a=latest", 400, "bad_parameter", "b"),
        ("/diff?a=latest&b=nothing", 404, "not_found", None),
        ("/nothing", 404, "not_found", None),
    ],
)
def test_errors_have_one_shape(
    host: Host, captured: Capture, path: str, status: int, code: str, field: str | None
) -> None:
    assert error(host.get(path)) == (status, code, field)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "OPTIONS"])
def test_a_method_that_a_route_has_not(host: Host, method: str) -> None:
    answer = requests.request(method, f"{host.url}{PREFIX}/status", timeout=30)
    assert error(answer) == (405, "method_not_allowed", None)
    assert answer.headers["allow"] == "GET"


def test_a_get_of_a_run(host: Host) -> None:
    assert error(host.get("/run/batch"))[:2] == (405, "method_not_allowed")


def test_deletes(host: Host) -> None:
    host.generate(prompt="to be deleted").raise_for_status()
    identity = host.latest()["id"]
    url = f"{host.url}{PREFIX}/captures/{identity}"
    foreign = requests.delete(url, headers={"Origin": "http://evil.example"}, timeout=30)
    assert error(foreign) == (403, "cross_site", None)
    assert requests.delete(url, timeout=30).json() == {"trashed": identity}
    assert identity not in {row["id"] for row in host.json("/captures")["captures"]}
    assert [row["id"] for row in host.json("/captures", trashed=True)["captures"]] == [identity]
    restored = host.session.post(f"{url}/restore", timeout=30).json()
    assert (restored["id"], restored["trashed"]) == (identity, None)
    for_good = requests.delete(url, params={"forever": "1"}, timeout=30)
    assert for_good.json() == {"deleted": identity}
    assert error(requests.delete(url, timeout=30)) == (404, "not_found", "id")


def test_the_trash_is_emptied(host: Host, captured: Capture) -> None:
    identities = []
    for prompt in ("first of the trash", "second of the trash"):
        host.generate(prompt=prompt).raise_for_status()
        identities.append(host.latest()["id"])
        url = f"{host.url}{PREFIX}/captures/{identities[-1]}"
        requests.delete(url, timeout=30).raise_for_status()
    lying = host.json("/captures", trashed=True)["captures"]
    emptied = requests.delete(f"{host.url}{PREFIX}/trash", timeout=30)
    assert emptied.json() == {"deleted": len(lying)}
    assert len(lying) >= 2
    assert host.json("/captures", trashed=True)["captures"] == []
    assert error(host.get(f"/captures/{identities[0]}"))[:2] == (404, "not_found")
    assert host.get(f"/captures/{captured.id}").status_code == 200


def test_status(host: Host, captured: Capture, flavour: str) -> None:
    status = host.json("/status")
    assert status["host"]["webui"] == {"a1111": "AUTOMATIC1111", "forge": "Forge"}[flavour]
    assert (status["format"], status["failures"], status["last_failure"]) == (1, 0, None)
    assert status["captures"] >= 2
    assert status["bytes"] > 0


def test_frozen_sections_are_told(start: Start) -> None:
    """The webui tells its flags, not which setting is in which section."""
    frozen = start("--freeze-settings-in-sections", "sampler-params, ui").json("/status")["frozen"]
    assert "eta_noise_seed_delta" in frozen
    assert "sd_vae" not in frozen


def test_settings_that_the_webui_does_not_list_are_told(host: Host) -> None:
    listed = requests.get(f"{host.url}/sdapi/v1/options", timeout=30).json()
    assert set(host.json("/status")["unlisted"]).isdisjoint(listed)


@contextlib.contextmanager
def begun(host: Host, method: str, path: str, size: int) -> Iterator[socket.socket]:
    """A connection that announced a body and sent one byte of it."""
    lines = (f"{method} {PREFIX}{path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {size}")
    with contextlib.closing(socket.create_connection(("127.0.0.1", host.process.port), 30)) as one:
        one.sendall("\r\n".join((*lines, "", "{")).encode())
        yield one


def test_forty_slow_uploads_hold_no_thread(host: Host) -> None:
    """As many threads would be all that the webui's server has for its other routes."""
    with contextlib.ExitStack() as stack:
        for _ in range(45):
            stack.enter_context(begun(host, "POST", "/captures", 99))
        host.generate(prompt="meanwhile").raise_for_status()
        assert host.json("/status")["enabled"]


def test_too_much_is_refused_before_it_is_sent(host: Host) -> None:
    head = (
        f"PATCH {PREFIX}/captures/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {2**40}\r\n\r\n"
    )
    with contextlib.closing(socket.create_connection(("127.0.0.1", host.process.port), 30)) as one:
        one.sendall(head.encode())
        assert one.recv(100).startswith(b"HTTP/1.1 413 ")


def test_places_lie_below_the_path_of_a_proxy() -> None:
    request: Any = SimpleNamespace(scope={"root_path": "/webui"})
    assert routes._at(request, "/replays/x") == f"/webui{PREFIX}/replays/x"


def test_what_an_export_cannot_begin_with_has_a_status() -> None:
    def broken(filters: Any) -> Iterator[Any]:
        yield from iter(read, None)

    def read() -> Any:
        raise StoreError("the disk is gone")

    service: Any = SimpleNamespace(exported_all=broken)
    for form in SELECTIONS:
        with pytest.raises(StoreError):
            routes.export_many(service, SimpleNamespace(), {"body": {"format": form}})  # type: ignore[arg-type]


# ---- what a client has already


def test_a_picture_that_is_known_is_not_sent_again(host: Host, captured: Capture) -> None:
    sha256 = captured.results[0].asset
    for path in (f"/assets/{sha256}", f"/captures/{captured.id}/results/0"):
        tag = host.get(path).headers["etag"]
        again = host.get(path, headers={"If-None-Match": f'W/"x", {tag}'})
        assert (tag, again.status_code, again.content) == (f'"{sha256}"', 304, b"")
        assert host.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_capture_is_sent_again_once_it_changed(host: Host, captured: Capture) -> None:
    path = f"/captures/{captured.id}"
    tag = host.get(path).headers["etag"]
    assert host.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert host.get(f"{path}/summary", headers={"If-None-Match": tag}).status_code == 304
    edited = patch(host, path, {"title": "Fox"})
    assert edited.headers["etag"] != tag
    assert host.get(path, headers={"If-None-Match": tag}).headers["etag"] == edited.headers["etag"]


def patch(host: Host, path: str, body: Any, **headers: str) -> requests.Response:
    return host.session.patch(host.url + PREFIX + path, json=body, headers=headers, timeout=30)


def test_edits_what_is_said_and_nothing_else(host: Host, captured: Capture) -> None:
    path = f"/captures/{captured.id}"
    patch(host, path, {"title": "A fox", "tags": ["red", "animal"]}).raise_for_status()
    row = patch(host, path, {"starred": True, "note": "the best\none"}).json()
    assert (row["title"], row["note"], row["starred"]) == ("A fox", "the best\none", True)
    assert sorted(row["tags"]) == ["animal", "red"]
    assert row == host.json(f"{path}/summary")
    for spelled in ("red", " red"):
        assert host.json("/captures", tag=spelled, starred=True)["captures"] == [row]
    assert host.json("/search", q="animal best")["captures"] == [row]
    assert host.json("/tags") == {"tags": {"animal": 1, "red": 1}}
    patch(host, path, {"tags": [], "starred": False}).raise_for_status()
    assert host.json("/captures", tag="red")["captures"] == []


def test_two_who_edit_do_not_overwrite_each_other(host: Host, captured: Capture) -> None:
    path = f"/captures/{captured.id}"
    seen = host.get(path).headers["etag"]
    assert patch(host, path, {"note": "first"}, **{"If-Match": seen}).ok
    late = patch(host, path, {"note": "second"}, **{"If-Match": seen})
    assert error(late) == (412, "changed", "If-Match")
    assert host.json(f"{path}/summary")["note"] == "first"


def test_the_newest_is_edited_in_the_state_that_was_seen() -> None:
    """And not another one that came between the two."""
    edited: list[str] = []

    def edit(identity: str, **_: Any) -> dict[str, Any]:
        edited.append(identity)
        return seen

    seen = {"id": "c1", "revision": 3}
    service: Any = SimpleNamespace(summary=lambda _: seen, edit=edit)
    request: Any = SimpleNamespace(path_params={"id": "latest"}, headers={"if-match": '"c1.3"'})
    routes.edit(service, request, {"body": {"note": "x"}})
    assert edited == ["c1"]


def test_of_many_who_edit_the_same_state_at_once_one_succeeds(
    host: Host, captured: Capture
) -> None:
    path = f"/captures/{captured.id}"
    seen = {"If-Match": host.get(path).headers["etag"]}
    with ThreadPoolExecutor(8) as pool:
        bodies = [{"note": f"of {number}"} for number in range(16)]
        answers = list(pool.map(lambda body: patch(host, path, body, **seen), bodies))
    made = [answer.json()["note"] for answer in answers if answer.ok]
    assert made == [host.json(f"{path}/summary")["note"]]
    assert {answer.status_code for answer in answers if not answer.ok} == {412}


@pytest.mark.parametrize("text", ["\ud800", "\x00", "ﷺ\u202e", "'; DROP TABLE captures; --"])
def test_any_text_can_be_noted_and_searched(host: Host, captured: Capture, text: str) -> None:
    path = f"/captures/{captured.id}"
    row = patch(host, path, {"title": text, "note": text, "tags": [f"t{text}"]})
    assert row.ok, row.text
    assert row.json() == host.json(f"{path}/summary")
    assert host.get("/search", params={"q": text.encode("utf-8", "replace")}).ok


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ([], "body"),
        ({"titel": "x"}, "titel"),
        ({"title": None}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"tags": "red"}, "tags"),
        ({"tags": ["red", ""]}, "tags[1]"),
        ({"tags": ["red", "\r"]}, "tags"),
        ({"tags": ["\u0958" * 60]}, "tags"),  # which NFC makes two of each
        ({"starred": 1}, "starred"),
    ],
)
def test_an_edit_that_cannot_be_made(host: Host, captured: Capture, body: Any, field: str) -> None:
    answer = patch(host, f"/captures/{captured.id}", body)
    assert error(answer) == (400, "bad_parameter", field)


def test_forgets(host: Host) -> None:
    host.generate(prompt="nobody may know of the zebrafinch").raise_for_status()
    identity = host.latest()["id"]
    url = f"{host.url}{PREFIX}/captures/{identity}/forget"
    assert host.session.post(url, timeout=60).json() == {"forgotten": identity}
    assert host.json("/search", q="zebrafinch")["captures"] == []
    assert error(host.get(f"/captures/{identity}")) == (404, "not_found", "id")


def test_the_store_is_verified_and_repaired(start: Start) -> None:
    host = start()

    def asked(what: str) -> Any:
        answer = host.session.post(f"{host.url}{PREFIX}/store/{what}", timeout=60)
        answer.raise_for_status()
        return answer.json()

    host.generate().raise_for_status()
    lost = host.latest()["results"][0]["asset"]
    assert asked("verify") == {"faults": []}
    (path,) = host.process.data_dir.rglob(lost)
    path.unlink()
    (fault,) = asked("verify")["faults"]
    assert lost in fault["path"] + fault["reason"]
    (dropped,) = asked("repair")["dropped"]
    assert lost[:12] in dropped
    assert asked("verify") == {"faults": []}
    assert host.latest()["results"][0]["asset"] is None
    host.process.stop()


# ---- what the webui itself does around our routes


def test_large_json_is_compressed_when_asked(host: Host, captured: Capture) -> None:
    path = f"/captures/{captured.id}"
    asked = host.get(path, headers={"Accept-Encoding": "gzip"})
    assert asked.headers["content-encoding"] == "gzip"
    assert asked.json() == host.get(path, headers={"Accept-Encoding": "identity"}).json()
    picture = host.get(f"{path}/results/0", headers={"Accept-Encoding": "gzip"})
    assert picture.headers["content-encoding"] == "identity"


def test_other_origins_as_the_command_line_says(start: Start) -> None:
    friend, stranger = "http://friend.example", "http://stranger.example"
    host = start("--cors-allow-origins", friend, "--cors-allow-origins-regex", r"http://.*\.lan")
    for origin in (friend, "http://box.lan"):
        asking = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
        url = f"{host.url}{PREFIX}/captures/x"
        asked = requests.options(url, headers=asking, timeout=30)
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, origin)
        answer = host.get("/status", headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
    answer = host.get("/status", headers={"Origin": stranger})
    assert "access-control-allow-origin" not in answer.headers
    host.process.stop()


def test_the_minimal_form_says_less_and_makes_the_same_picture(host: Host) -> None:
    given = {"prompt": "a red fox", "seed": 9, "steps": 3, "width": 64, "height": 64}
    given["override_settings"] = {"CLIP_stop_at_last_layers": 2}
    options = f"{host.url}/sdapi/v1/options"
    host.session.post(f"{host.url}/sdapi/v1/txt2img", json=given, timeout=60).raise_for_status()
    # The webui does not put an override back that it never had saved.
    host.session.post(options, json={"CLIP_stop_at_last_layers": 1}, timeout=30).raise_for_status()
    capture = host.latest()
    asked = {form: host.json("/captures/latest/request", form=form) for form in FORMS}
    exact, short = (asked[form]["payload"] for form in FORMS)
    assert len(short) < len(exact)
    assert short["override_settings"] == {"CLIP_stop_at_last_layers": 2}
    assert "alwayson_scripts" not in short
    for payload in (exact, short):
        answer = host.session.post(f"{host.url}/sdapi/v1/txt2img", json=payload, timeout=60)
        (image,) = (Image.open(io.BytesIO(base64.b64decode(i))) for i in answer.json()["images"])
        pixels = pixel_hash("RGB", image.size, image.convert("RGB").tobytes())
        assert pixels == capture["results"][0]["sha256"]


def test_a_form_that_does_not_exist(host: Host, captured: Capture) -> None:
    answer = host.get("/captures/latest/request", params={"form": "short"})
    assert error(answer) == (400, "bad_parameter", "form")
