"""What the page asks about replays and comparisons."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from payload_capture import proving, questions
from payload_capture.auth import Caller, Refused
from payload_capture.capture import Asset, Capture, Host, Model, Result
from payload_capture.documents import UNEDITED, summary
from payload_capture.outcomes import Outcome, Pair
from payload_capture.replays import Replay
from payload_capture.runs import API_OFF, RunError
from payload_capture.store import Filters, NotFoundError, Page

from .pictures import BASE64, SHA256

RESULTS = [
    Result("1" * 64, 64, 64, "grid", asset="a" * 64),
    Result("2" * 64, 64, 32, "sample", seed=5, asset="b" * 64),
]
ONE = Capture(1, "c1", "/sdapi/v1/txt2img", {"prompt": "a cat", "steps": 2}, results=RESULTS)


class Replaying:
    """The face of `Replays` that the questions use."""

    def __init__(self) -> None:
        self.known: dict[str, Replay] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.pictures: dict[str, tuple[int, str]] = {}

    def of(self, capture: str) -> Replay | None:
        return next((r for r in self.known.values() if r.capture == capture), None)

    def outcome(self, job: str) -> Outcome | None:
        return self.outcomes.get(job)

    def preview(self, job: str) -> tuple[int, str]:
        return self.pictures.get(job, (0, ""))


class Service:
    """The face of `service.Service` that the questions use."""

    blurs = False
    api_off = ""

    def __init__(self, *captures: Capture) -> None:
        self.captures = {one.id: one for one in captures}
        self.replays = Replaying()
        self.verdicts: dict[str, tuple[str, str]] = {}
        self.refusal: RunError | None = None
        self.refused = False
        self.asked: list[Filters] = []

    def admit_page(self, caller: Caller, *, reads: bool) -> None:
        if self.refused and not reads:
            raise Refused(403, "strangers_refused", "strangers may not")

    def get(self, identity: str) -> Capture:
        if identity not in self.captures:
            raise NotFoundError(identity)
        return self.captures[identity]

    def summary(self, identity: str) -> dict[str, Any]:
        verdict, reason = self.verdicts.get(identity, (None, None))
        return summary(self.get(identity), None) | {"verdict": verdict, "reason": reason}

    def page(self, limit: int, filters: Filters | None = None) -> Page:
        self.asked.append(filters or Filters())
        kept = [] if self.asked[-1].until else list(self.captures.values())
        return Page([summary(one, None) | UNEDITED for one in kept[:limit]], None)

    def replay(self, identity: str) -> Replay:
        if self.refusal:
            raise self.refusal
        made = Replay("j1", self.get(identity).id)
        self.replays.known["j1"] = made
        return made

    def replay_status(self, job: str) -> Replay:
        if job not in self.replays.known:
            raise NotFoundError(job)
        return self.replays.known[job]

    def cancel(self, job: str) -> Replay:
        self.replay_status(job).state = "cancelled"
        return self.replay_status(job)


@pytest.fixture
def service() -> Service:
    return Service(ONE)


def ask(service: Service, name: str, **more: Any) -> dict[str, Any]:
    text = json.dumps({"id": 9, "do": name, **more})
    answer = questions.answer(service, text, Caller("POST", {}))  # type: ignore[arg-type]
    made: dict[str, Any] = json.loads(answer)
    assert made.pop("id") == 9
    return made


# ---- replays


def test_a_replay_is_started_and_asked_about(service: Service) -> None:
    started = ask(service, "replay", capture="c1")["replay"]
    assert (started["job"], started["state"], started["verdict"]) == ("j1", "queued", None)
    running = service.replays.known["j1"]
    running.state, running.progress = "running", 0.25
    (told,) = ask(service, "replays", jobs={"j1": 0})["replays"]
    assert (told["state"], told["progress"]) == ("running", 0.25)
    assert "preview" not in told


def test_a_preview_is_told_once(service: Service) -> None:
    ask(service, "replay", capture="c1")
    service.replays.pictures["j1"] = (2, "data:image/png;base64,x")
    (told,) = ask(service, "replays", jobs={"j1": 1})["replays"]
    assert told["preview"] == {"number": 2, "picture": "data:image/png;base64,x"}
    for shown in (2, -1):
        (told,) = ask(service, "replays", jobs={"j1": shown, "forgotten": 0})["replays"]
        assert "preview" not in told


def test_no_preview_where_pictures_are_blurred(service: Service) -> None:
    service.blurs = True
    ask(service, "replay", capture="c1")
    service.replays.pictures["j1"] = (2, "data:image/png;base64,x")
    (told,) = ask(service, "replays", jobs={"j1": 0})["replays"]
    assert "preview" not in told


def done(service: Service, **more: Any) -> dict[str, Any]:
    """What is told of a replay that ended so."""
    ended = Replay("j1", "c1", "done", 1.0, "close", "one pixel", notes=["a note"], seconds=1.5)
    service.replays.known["j1"] = dataclasses.replace(ended, **more)
    (told,) = ask(service, "replays", jobs={"j1": 0})["replays"]
    made: dict[str, Any] = told
    return made


def test_the_pictures_of_a_replay_stand_beside_the_expected_ones(service: Service) -> None:
    service.replays.outcomes["j1"] = Outcome(
        [
            Pair(0, None, "different", why="no grid came"),
            Pair(1, 0, "close", "44.0 dB, SSIM 0.99"),
            Pair(None, 1, None, why="nobody expected this picture"),
        ]
    )
    told = done(service)
    assert (told["verdict"], told["reason"], told["notes"]) == ("close", "one pixel", ["a note"])
    assert told["pictures"] == [
        {
            "a": "a" * 64,
            "b": None,
            "same": False,
            "words": "grid · 64×64",
            "verdict": "different",
            "measure": "",
            "why": "no grid came",
        },
        {
            "a": "b" * 64,
            "b": {"replay": "j1", "number": 0},
            "same": False,
            "words": "64×32 · seed 5",
            "verdict": "close",
            "measure": "44.0 dB, SSIM 0.99",
            "why": "",
        },
        {
            "a": None,
            "b": {"replay": "j1", "number": 1},
            "same": False,
            "words": "besides",
            "verdict": None,
            "measure": "",
            "why": "nobody expected this picture",
        },
    ]


def test_pictures_that_are_not_kept_any_more(service: Service) -> None:
    assert done(service)["pictures"] is None


def test_a_picture_that_came_is_a_picture_to_look_at(service: Service) -> None:
    service.replays.outcomes["j1"] = Outcome(pictures=[("image/png", b"x")])
    source = {"replay": "j1", "number": 0}
    told = ask(service, "picture", source=source)
    assert told == {"picture": "data:image/png;base64,eA=="}
    gone = ask(service, "picture", source=source | {"number": 1})
    assert "deleted" in gone["error"]
    assert "deleted" in ask(service, "picture", source=source | {"number": -1})["error"]


def test_a_refusal_is_a_verdict(service: Service) -> None:
    service.refusal = RunError(409, "not_replayable", "cannot be sent again: no model")
    assert ask(service, "replay", capture="c1")["replay"] == {
        "state": "refused",
        "verdict": "refused",
        "reason": "cannot be sent again: no model",
    }


def test_what_hinders_a_replay_is_said(service: Service) -> None:
    service.refusal = RunError(409, "api_off", API_OFF)
    assert ask(service, "replay", capture="c1") == {"error": API_OFF}
    service.api_off = API_OFF
    assert ask(service, "capture", capture="c1")["capture"]["proof"]["off"] == API_OFF
    assert ask(service, "summaries", captures=[])["off"] == API_OFF


def test_a_replay_is_cancelled(service: Service) -> None:
    ask(service, "replay", capture="c1")
    assert ask(service, "cancel", job="j1")["replay"]["state"] == "cancelled"
    assert "error" in ask(service, "cancel", job="nothing")


def test_who_may_only_read_starts_and_stops_nothing(service: Service) -> None:
    service.refused = True
    assert ask(service, "replay", capture="c1") == {"error": "strangers may not"}
    assert ask(service, "cancel", job="j1") == {"error": "strangers may not"}
    assert "proof" in ask(service, "capture", capture="c1")["capture"]


def test_a_capture_comes_with_its_verdict_and_last_replay(service: Service) -> None:
    proof = ask(service, "capture", capture="c1")["capture"]["proof"]
    assert (proof["verdict"], proof["replay"], proof["off"]) == (None, None, "")
    service.verdicts["c1"] = ("close", "one pixel")
    ask(service, "replay", capture="c1")
    proof = ask(service, "capture", capture="c1")["capture"]["proof"]
    assert (proof["verdict"], proof["reason"]) == ("close", "one pixel")
    assert proof["replay"]["job"] == "j1"


def test_rows_of_several_captures_without_those_that_are_gone(service: Service) -> None:
    told = ask(service, "summaries", captures=["c1", "gone"])
    assert [row["id"] for row in told["rows"]] == ["c1"]


# ---- comparing


def test_what_a_capture_may_be_compared_with() -> None:
    two, three = (dataclasses.replace(ONE, id=name) for name in ("c2", "c3"))
    service = Service(ONE, two, three)
    told = ask(service, "neighbours", capture="c1", shown=["c1", "c2", "gone"])
    assert [row["id"] for row in told["shown"]] == ["c2"]
    assert [row["id"] for row in told["older"]] == ["c3"]
    assert service.asked[0].until == summary(ONE, None)["started"]


def told(a: Capture, b: Capture) -> dict[str, Any]:
    return ask(Service(a, b), "compare", a=a.id, b=b.id)


def other(**changes: Any) -> Capture:
    return dataclasses.replace(ONE, id="c2", **changes)


def test_what_differs_is_told_below_its_heading() -> None:
    a = dataclasses.replace(ONE, host=Host(checkpoint=Model("one")), resolved={"prompt": ["x"]})
    payload = {"prompt": "a dog", "width": 64, "override_settings": {"sd_vae": "None"}}
    a = dataclasses.replace(a, payload=a.payload | {"override_settings": {"sd_vae": "soft"}})
    b = other(payload=payload, host=Host(checkpoint=Model("two")))
    found = [(d["group"], d["path"], d["kind"]) for d in told(a, b)["differences"]]
    assert found == [
        ("payload", "prompt", "changed"),
        ("payload", "steps", "removed"),
        ("settings", "sd_vae", "changed"),
        ("payload", "width", "added"),
        ("rest", "resolved.prompt", "removed"),
        ("host", "checkpoint.title", "changed"),
    ]


def test_values_are_nodes_of_the_tree() -> None:
    a = dataclasses.replace(ONE, payload={"seed": 2**60, "init": BASE64, "args": [1]})
    (seed, init, args) = told(a, other(payload={"seed": 1}))["differences"]
    assert (seed["a"], seed["b"]) == ({"value": str(2**60)}, {"value": "1"})
    source = {"capture": a.id, "root": "payload", "path": ["init"]}
    assert (init["a"]["picture"], "b" in init) == (source, False)
    assert args["a"] == {"list": [{"value": "1"}], "length": 1}


def test_a_picture_of_the_payload_is_its_hash() -> None:
    asset = Asset("image/png", 8, 8, 70)
    a = dataclasses.replace(ONE, payload={"mask": {"$asset": SHA256}}, assets={SHA256: asset})
    (mask,) = told(a, other(payload={}))["differences"]
    assert mask["a"]["picture"] == SHA256


def test_of_a_long_prompt_only_what_is_near_a_change_is_told() -> None:
    start, end = "one, " * 1000, ", two" * 1000
    a = dataclasses.replace(ONE, payload={"prompt": f"{start}red{end}"})
    (prompt,) = told(a, other(payload={"prompt": f"{start}blue{end}"}))["differences"]
    kinds = [(w["kind"], len(w["text"])) for w in prompt["words"]]
    near = proving.CONTEXT + len(" … ")
    assert kinds == [("same", near), ("removed", 3), ("added", 4), ("same", near)]
    assert prompt["words"][0]["text"].endswith("one, ")
    assert prompt["words"][-1]["text"].startswith(", two")
    assert "a" not in prompt


def test_texts_too_unlike_for_words_begin_where_they_differ() -> None:
    start = "same " * 100
    a = dataclasses.replace(ONE, payload={"prompt": start + "red " * 3000})
    (prompt,) = told(a, other(payload={"prompt": start + "blue " * 3000}))["differences"]
    assert prompt["a"]["text"].startswith("…")
    assert "red" in prompt["a"]["text"]
    assert "blue" in prompt["b"]["text"]


def test_very_many_differences_are_counted() -> None:
    payload = {f"f{n}": n for n in range(proving.MOST + 3)}
    found = told(dataclasses.replace(ONE, payload=payload), other(payload={}))
    assert (len(found["differences"]), found["more"]) == (proving.MOST, 3)


def test_pictures_of_the_same_role_stand_beside_each_other() -> None:
    results = [
        dataclasses.replace(RESULTS[1], sha256="3" * 64, seed=6, asset="c" * 64),
        dataclasses.replace(RESULTS[1], asset=None),
        RESULTS[0],
    ]
    found = told(ONE, other(results=results))
    assert found["pictures"] == [
        {"a": "a" * 64, "b": "a" * 64, "same": True, "words": "grid · 64×64", "why": ""},
        {
            "a": "b" * 64,
            "b": "c" * 64,
            "same": False,
            "words": "64×32 · seed 5 / 64×32 · seed 6",
            "why": "",
        },
        {
            "a": None,
            "b": None,
            "same": False,
            "words": "64×32 · seed 5",
            "why": "only B has this picture",
        },
    ]
    assert (found["a"]["id"], found["b"]["id"], found["differences"]) == ("c1", "c2", [])
