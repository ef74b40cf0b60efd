"""Kinds that were broken off, and one that waited for another person's."""

from __future__ import annotations

from kinds import Models, Scene, Shown, group
from payload_replay.images import hashed
from webui_page import WebuiPage

kind = group("stopped or queued")


def _started(scene: Scene, page: WebuiPage, steps: int = 0) -> None:
    """Wait until the host samples, by its own account."""
    for _ in range(600):
        state = scene.get("/sdapi/v1/progress?skip_current_image=true")["state"]
        if state["sampling_step"] > steps:
            return
        page.page.wait_for_timeout(20)
    raise AssertionError("the generation never began")


def _broken_off(scene: Scene, button: str, count: int) -> Shown:
    page = scene.basics()
    page.number("txt2img_steps", 150)
    page.number("txt2img_batch_count", count)
    page.press()
    _started(scene, page)
    page.page.locator(f"#txt2img_{button}").first.click()
    page.finished()
    return page.gallery


def _at_once(models: Models) -> dict[str, bool]:
    """v1.6 and before know no other way."""
    return {name: False for name in models.options if name == "interrupt_after_current"}


@kind(
    "interrupted at once",
    options=_at_once,
    raw=False,
    verdict="refused",
    reason="interrupted",
)
def interrupted(scene: Scene) -> Shown:
    return _broken_off(scene, "interrupt", 1)


@kind(
    "stopped after the current picture",
    options={"interrupt_after_current": True},
    raw=False,
    verdict="refused",
    reason="interrupted",
)
def stopped(scene: Scene) -> Shown:
    return _broken_off(scene, "interrupt", 2)


@kind(
    "the first of two pictures skipped",
    pictures=2,
    raw=False,
    verdict="refused",
    reason="skipped|interrupted",
)
def skipped(scene: Scene) -> Shown:
    return _broken_off(scene, "skip", 2)


@kind("queued behind another person's")
def queued(scene: Scene) -> Shown:
    mine = scene.basics(seed=-1)
    other = scene.another()
    for name, value in {"steps": 100, "width": 64, "height": 64, "seed": 8}.items():
        other.number(f"txt2img_{name}", value)
    other.text("txt2img_prompt", "somebody else's hills")
    other.press()
    _started(scene, other)
    mine.press()
    other.finished()
    mine.finished()
    theirs, ours = _hashes(other), _hashes(mine)
    assert theirs.isdisjoint(ours)
    return mine.gallery


def _hashes(page: WebuiPage) -> set[str]:
    return {hashed(picture) for picture in page.gallery()}
