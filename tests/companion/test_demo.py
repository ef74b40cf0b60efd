"""The demo: every kind comes back, and the comparison can fail."""

from __future__ import annotations

from typing import Any

import pytest

from payload_replay import NotFound, WebUI, demo


@pytest.fixture(scope="module")
def shown(standin: Any) -> list[demo.Shown]:
    standin.clear_errors()
    return list(demo.run(standin.url))


def test_every_kind_is_identical(shown: list[demo.Shown], standin: Any) -> None:
    failed = {s.kind.title: s.outcome.reason for s in shown if s.outcome.verdict != "identical"}
    assert failed == {}
    assert len(shown) >= 12
    assert standin.errors() == []


def test_there_is_something_to_see(shown: list[demo.Shown]) -> None:
    for each in shown:
        replay = each.outcome.replay
        assert replay is not None
        assert replay.images
        for image in replay.images:
            stored = each.entry.stored(image.result)
            assert stored is not None
            assert len(stored) > 1000


def test_each_kind_makes_another_picture(shown: list[demo.Shown]) -> None:
    first = [each.outcome.replay.images[0].expected for each in shown if each.outcome.replay]
    assert len(set(first)) == len(shown)


def test_settings_are_as_before(shown: list[demo.Shown], standin: Any) -> None:
    options = WebUI(standin.url).options()
    assert options["CLIP_stop_at_last_layers"] == 1
    assert options["eta_noise_seed_delta"] == 0


def test_the_control_differs(shown: list[demo.Shown], standin: Any) -> None:
    outcome = demo.control(standin.url)
    assert outcome.verdict == "different"
    assert "Seed" in outcome.reason


def test_a_generation_that_is_not_captured(standin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "PATIENCE", 0.1)
    webui = WebUI(standin.url)
    newest = webui.captures.latest().id
    with pytest.raises(NotFound, match="nothing was captured"):
        demo._captured(webui, newest)


def test_a_checkout_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    assert (demo.checkout() / "metadata.ini").exists()
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "a" / "b" / "c" / "d.py"))
    with pytest.raises(demo.NoCheckout, match="clone it"):
        demo.checkout()
