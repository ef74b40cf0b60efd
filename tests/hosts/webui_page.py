"""The page of a webui, driven as a person drives it: by its element ids, with real events.

The ids are those of A1111 v1.6.0 on, Forge and reForge. gradio 3 and gradio 4 differ in how a
dropdown offers its choices and how an accordion opens; both are handled here and nowhere else.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page

SETTLE = 250
"""Milliseconds that gradio takes to send a changed value to its event handlers."""


class WebuiPage:
    """One browser page on `url`; setters take the id of the gradio component."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.tab = "txt2img"
        self._awaited: tuple[str, str] | None = None
        page.set_default_timeout(20_000)
        page.goto(f"{url}/", wait_until="domcontentloaded")
        page.wait_for_selector("#txt2img_generate", timeout=60_000)
        page.wait_for_function("typeof opts === 'object' && Object.keys(opts).length > 0")
        page.wait_for_timeout(800)

    def open(self, tab: str) -> None:
        """Switch to a top-level tab: txt2img, img2img, Extras, Payloads."""
        name = re.compile(rf"^\s*{re.escape(tab)}\s*$", re.IGNORECASE)
        self.page.locator("#tabs > .tab-nav button", has_text=name).first.click()
        self.tab = tab
        self.page.wait_for_timeout(SETTLE)

    def mode(self, name: str) -> None:
        """Switch img2img to one of its modes: img2img, Inpaint, Inpaint upload, Batch."""
        buttons = self.page.locator("#mode_img2img > .tab-nav > button")
        buttons.get_by_text(name, exact=True).first.click()
        self.page.wait_for_timeout(2 * SETTLE)

    def text(self, element: str, value: str) -> None:
        self._of(element, "textarea, input[type=text]").first.fill(value)

    def number(self, element: str, value: float) -> None:
        field = self._of(element, "input[type=number]").first
        field.fill(str(value))
        field.press("Tab")

    def check(self, element: str, on: bool = True) -> None:
        self._of(element, "input[type=checkbox]").first.set_checked(on, force=True)

    def radio(self, element: str, label: str) -> None:
        self._of(element, "label").get_by_text(label, exact=True).first.click()

    def accordion(self, element: str) -> None:
        """Open an accordion with a checkbox in its head, which switches it on (hires, refiner)."""
        box = self.page.locator(f"#{element}-visible-checkbox").first
        if not box.is_checked():
            self.page.locator(f"#{element} > .label-wrap > .icon").first.click()
            self.page.wait_for_timeout(2 * SETTLE)
        assert box.is_checked(), f"{element} did not switch on"

    def choose(self, element: str, *values: str) -> None:
        """Pick values of a dropdown; a value may be the beginning of a choice."""
        field = self._of(element, "input").first
        for value in values:
            field.click()
            choices = self.page.locator("ul.options li:visible")
            choices.first.wait_for()
            names = [re.sub(r"^[✓\s]+", "", name).strip() for name in choices.all_inner_texts()]
            found = _match(names, value)
            assert found is not None, f"{element}: no choice {value!r} in {names[:20]}"
            choices.nth(found).dispatch_event("mousedown")
            self.page.wait_for_timeout(SETTLE)
        field.blur()
        self.page.wait_for_timeout(SETTLE)

    def upload(self, element: str, picture: Path) -> None:
        self.page.locator(f"#{element} input[type=file]").first.set_input_files(picture)
        shown = self.page.locator(f"#{element} img, #{element} canvas").first
        shown.wait_for(state="attached")
        self.page.wait_for_timeout(3 * SETTLE)

    def draw(self, element: str) -> None:
        """Drag the brush across the picture of an editor."""
        canvas = self.page.locator(f"#{element} canvas").last
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None, f"{element} shows no canvas to draw on"
        mouse = self.page.mouse
        mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4)
        mouse.down()
        mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.6, steps=12)
        mouse.up()
        self.page.wait_for_timeout(2 * SETTLE)

    def script(self, title: str) -> None:
        """Select a script of the dropdown below the settings."""
        container = f"{self.tab}_script_container"
        self.choose(f"{container} #script_list", title)
        self.page.wait_for_timeout(2 * SETTLE)

    def generate(self, timeout: float = 90) -> None:
        """Press Generate and wait until the page shows the result."""
        self.press()
        self.finished(timeout)
        failed = self.page.locator(f"#html_log_{self.tab} .error")
        assert failed.count() == 0, failed.first.inner_text()

    def press(self) -> None:
        """Press Generate, as soon as the page shows the result of the press before.

        gradio 4 drops a press while it still waits for the last one's result, though the button
        is there again.
        """
        self.finished()
        log = f"#html_log_{self.tab}"
        self._awaited = log, self.page.locator(log).first.inner_html()
        self.page.click(f"#{self.tab}_generate")

    def finished(self, timeout: float = 90) -> None:
        """Wait until the page shows the result of the last press."""
        if self._awaited is None:
            return
        self.page.wait_for_function(
            "([id, before]) => { const now = document.querySelector(id).innerHTML;"
            " return now !== before && /Time taken|error/.test(now); }",
            arg=list(self._awaited),
            timeout=timeout * 1000,
        )
        self._awaited = None
        self.page.wait_for_timeout(SETTLE)

    def gallery(self) -> list[Image.Image]:
        """The pictures that the result gallery offers, grids first where the webui shows them."""
        thumbnails = self.page.locator(
            f"#{self.tab}_gallery .thumbnails img, #{self.tab}_gallery .grid-container img"
        )
        sources = dict.fromkeys(thumbnails.evaluate_all("all => all.map(img => img.src)"))
        return [self._picture(source) for source in sources]

    def generation_info(self) -> dict[str, object]:
        value = self._of(f"generation_info_{self.tab}", "textarea").first.input_value()
        made: dict[str, object] = json.loads(value)
        return made

    def _picture(self, source: str) -> Image.Image:
        answer = self.page.request.get(source)
        assert answer.ok, f"{source}: {answer.status}"
        return Image.open(io.BytesIO(answer.body()))

    def _of(self, element: str, kinds: str) -> Locator:
        parts = (f"#{element} {kind.strip()}" for kind in kinds.split(","))
        return self.page.locator(", ".join(parts))


def _match(names: Sequence[str], value: str) -> int | None:
    exact = [n for n, name in enumerate(names) if name == value]
    begins = [n for n, name in enumerate(names) if name.startswith(value)]
    return next(iter([*exact, *begins]), None)
