"""The page of a webui, driven as a person drives it: by its element ids, with real events.

The ids are those of A1111 v1.6.0 on, Forge and reForge. gradio 3 and gradio 4 differ in how a
dropdown offers its choices, how an accordion opens and how a picture is taken out again; this is
handled here and nowhere else.

One page serves many generations: a setter remembers what was there before, and `reset` puts it
back, which takes a tenth of the time of loading the page anew.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image
from playwright.sync_api import Error, Locator, Page

from pending import Pending

SETTLE = 250
"""Milliseconds that gradio takes to send a changed value to its event handlers."""

_RESULT = """tab => {
    const info = document.querySelector(`#generation_info_${tab} textarea`);
    const text = document.querySelector(`#html_info_x_${tab}`);
    const shown = [...document.querySelectorAll(`#${tab}_gallery img`)].map(img => img.src);
    const said = (name) => document.querySelector(`#${name}_${tab} .prose`).innerHTML;
    return [
        said("html_log") || said("html_info"),
        info ? info.value : [...new Set(shown)].sort().join() + (text ? text.innerText : ""),
    ];
}"""
"""What the page says of the last job: its log, and the account of it; for Extras this is pictures
(of several files under names that come again) and their infotext. The log alone may be the same as
of the job before, to the tenth of a second. Extras of v1.6 logs where others show the infotext."""
_DONE = f"""([tab, before]) => {{
    const [log, made] = ({_RESULT})(tab);
    const cover = (name) => `#${{name}}_${{tab}} > .wrap.translucent`;
    const waits = document.querySelector(`${{cover("html_log")}}, ${{cover("html_info")}}`);
    const fresh = log !== before[0] || (made && made !== before[1]);
    return !waits && fresh && /Time taken|error/i.test(log);
}}"""
"""Both gradios lay a translucent cover over what they wait for, hidden or not."""


class NotThere(Exception):
    """What a person looks for is not on this page."""


class WebuiPage:
    """One browser page on `url`; setters take the id of the gradio component.

    An id may be ``label:Text`` for a component that has none: the visible one with this label.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        page.set_default_timeout(20_000)
        self._pending = Pending(page)
        self.load()

    def load(self) -> None:
        """Open the page anew, with all its defaults."""
        self.tab = "txt2img"
        self._modes: dict[str, str] = {}
        self._awaited: tuple[str, list[str]] | None = None
        self._uploaded: dict[str, Sequence[Path]] = {}
        self._undo: dict[str, tuple[str, Callable[[], None]]] = {}
        self._pending.forget()
        page = self.page
        page.goto(f"{self.url}/", wait_until="domcontentloaded")
        page.wait_for_selector("#txt2img_generate", timeout=60_000)
        page.wait_for_function("typeof opts === 'object' && Object.keys(opts).length > 0")
        page.wait_for_timeout(800)
        self._pending.wait()

    # ---- what there is

    def has(self, element: str) -> bool:
        """Whether the page has this component, shown or hidden."""
        return self.page.locator(_root(element)).count() > 0

    def need(self, element: str, what: str) -> None:
        """Raise NotThere where the page has no such component."""
        if not self.has(element):
            raise NotThere(f"the page has no {what}")

    # ---- setting and setting back

    def keep(self) -> None:
        """Take what is set now for what `reset` goes back to."""
        self._undo.clear()

    def reset(self) -> None:
        """Set back what was changed since `keep`, the last first."""
        try:
            for tab, undo in reversed(list(self._undo.values())):
                self.open(tab)
                undo()
        except (Error, AssertionError, NotThere):
            self.load()
        self._undo.clear()

    def open(self, tab: str) -> None:
        """Switch to a top-level tab: txt2img, img2img, Extras, Payloads."""
        if tab == self.tab:
            return
        name = re.compile(rf"^\s*{re.escape(tab)}\s*$", re.IGNORECASE)
        self.page.locator("#tabs > .tab-nav button", has_text=name).first.click()
        self.tab = tab
        self._settle()

    def mode(self, name: str) -> None:
        """Switch img2img to one of its modes: img2img, Inpaint, Inpaint upload, Batch."""
        self.subtab("#mode_img2img", name)

    def subtab(self, tabs: str, name: str) -> None:
        """Switch a row of tabs inside the page, which a CSS selector names."""
        buttons = self.page.locator(f"{tabs} > .tab-nav > button")
        if buttons.count() == 0:
            raise NotThere(f"the page has no tabs {tabs}")
        before = buttons.and_(self.page.locator(".selected")).first.inner_text().strip()
        if before == name:
            return
        button = buttons.get_by_text(name, exact=True).first
        if button.count() == 0:
            raise NotThere(f"{tabs} has no tab {name!r}")
        self._changes(f"{tabs} tab", lambda: self.subtab(tabs, before))
        button.click()
        self._settle(2)

    def text(self, element: str, value: str) -> None:
        field = self._of(element, "textarea, input[type=text]").first
        if (before := field.input_value()) != value:
            self._changes(element, lambda: self.text(element, before))
            field.fill(value)

    def fill_lastingly(self, values: Mapping[str, str]) -> None:
        """Fill texts that the answer to an earlier choice may empty again, until they stay."""
        for _ in range(20):
            for element, value in values.items():
                self.text(element, value)
            self._settle(4)
            fields = {e: self._of(e, "textarea, input[type=text]").first for e in values}
            if all(fields[element].input_value() == value for element, value in values.items()):
                return
        raise AssertionError(f"the page empties {', '.join(values)} again and again")

    def number(self, element: str, value: float) -> None:
        field = self._of(element, "input[type=number]").first
        if (before := field.input_value()) != str(value):
            self._changes(element, lambda: self.number(element, _number(before)))
            field.fill(str(value))
            field.press("Tab")

    def shows(self, element: str) -> bool:
        return self.page.locator(_root(element)).count() > 0

    def inner_tab(self, name: str) -> bool:
        """Open a tab inside a script, if it has one of this name."""
        tab = self.page.locator(".tab-nav button:visible").filter(has_text=name).first
        if tab.count():
            tab.click()
            self._settle()
        return tab.count() > 0

    def check(self, element: str, on: bool = True) -> None:
        box = self._of(element, "input[type=checkbox]").first
        if box.is_checked() != on:
            self._changes(element, lambda: self.check(element, not on))
            box.wait_for()  # a script's inputs appear some time after it was selected
            box.set_checked(on, force=True)
            self._settle()

    def checks(self, element: str, *labels: str) -> None:
        """Of a group of boxes, tick exactly those with these labels."""
        boxes = self.page.locator(f"{_root(element)} label")
        names = [name.strip() for name in boxes.all_inner_texts()]
        ticked = [boxes.nth(n).locator("input").is_checked() for n in range(len(names))]
        before = [name for name, on in zip(names, ticked, strict=True) if on]
        self._changes(element, lambda: self.checks(element, *before))
        for place, name in enumerate(names):
            boxes.nth(place).locator("input").set_checked(name in labels, force=True)
        self._settle()

    def radio(self, element: str, label: str) -> None:
        chosen = self.page.locator(f"{_root(element)} label:has(input:checked)").first
        before = chosen.inner_text().strip()
        button = self._of(element, "label").get_by_text(label, exact=True).first
        if before != label:
            if button.count() == 0:
                raise NotThere(f"{element} has no {label!r}")
            self._changes(element, lambda: self.radio(element, before))
            button.click()

    def pick(self, element: str, value: str) -> None:
        """A value of what is a row of buttons on one host, a dropdown on another."""
        buttons = self._of(element, "input[type=radio]").count()
        (self.radio if buttons else self.choose)(element, value)

    def accordion(self, element: str, on: bool = True) -> None:
        """Open an accordion with a checkbox in its head, which switches it on (hires, refiner)."""
        box = self.page.locator(f"#{element}-visible-checkbox").first
        if box.count() == 0:  # v1.6
            box = self.page.locator(f"#{element}-checkbox input").first
        if box.is_checked() != on:
            self._changes(element, lambda: self.accordion(element, not on))
            self.page.locator(f"#{element} > .label-wrap > .icon").first.click()
            self._settle(2)
        assert box.is_checked() == on, f"{element} did not switch"

    def unfold(self, title: str) -> None:
        """Open an accordion of the scripts by the beginning of its title.

        One with a checkbox in its head is switched on by that.
        """
        heads = self.page.locator(f"#{self.tab}_script_container .gradio-accordion > .label-wrap")
        begins = re.compile(rf"^\s*{re.escape(title)}")
        head = heads.locator("visible=true").filter(has_text=begins).first
        if head.count() == 0:
            raise NotThere(f"the page has no {title}")
        if not re.search(r"\bopen\b", head.get_attribute("class") or ""):
            self._changes(f"{title} accordion", lambda: self._fold(head, on=False))
            self._fold(head, on=True)

    def _fold(self, head: Locator, *, on: bool) -> None:
        head.locator("> .icon").first.click()
        self._settle(2)
        box = head.locator("input[type=checkbox]").first
        if box.count() and box.is_checked() != on:  # some extensions' accordions only open
            box.click()
            self._settle()

    def choose(self, element: str, *values: str) -> None:
        """Pick values of a dropdown; a value may be the beginning of a choice."""
        field = self._of(element, "input").first
        before = field.input_value()
        if values == (before,):
            return
        for value in values:
            field.click()
            choices = self.page.locator("ul.options li:visible")
            choices.first.wait_for()
            names = [re.sub(r"^[✓\s]+", "", name).strip() for name in choices.all_inner_texts()]
            found = _match(names, value)
            if found is None:
                field.blur()
                raise NotThere(f"{element} offers no {value!r}")
            choices.nth(found).dispatch_event("mousedown")
            self._settle()
        field.blur()
        self._settle()
        if self.page.locator(f"{_root(element)} .token").count():
            self._changes(element, lambda: self._empty(element))
        elif before:  # nobody can choose nothing again, as the refiner's checkpoint is at first
            self._changes(element, lambda: self._pick(element, before))

    def _pick(self, element: str, value: str) -> None:
        self.choose(element, value)
        shown = self._of(element, "input").first.input_value()
        assert shown == value, f"{element} stays {shown!r}"

    def choose_only(self, element: str, *values: str) -> None:
        """Of a dropdown of several values, pick these instead of those that are picked."""
        tokens = self.page.locator(f"{_root(element)} .token").all_inner_texts()
        before = [token.strip() for token in tokens]
        self._changes(element, lambda: self.choose_only(element, *before))
        self._empty(element)
        if values:
            self.choose(element, *values)

    def _empty(self, element: str) -> None:
        self.page.locator(f"{_root(element)} .remove-all").first.click()
        self._settle()

    def script(self, title: str) -> None:
        """Select a script of the dropdown below the settings."""
        self.choose(f"{self.tab}_script_container #script_list", title)
        self._settle()

    # ---- pictures

    def upload(self, element: str, *files: Path) -> None:
        """Give a picture, or to a list of files several; it stays until another is given."""
        if self._uploaded.get(element) == files:
            return
        field = self.page.locator(f"{_root(element)} input[type=file]").first
        if field.count() == 0:
            self.take_out(element)
        field.set_input_files(files)
        shown = "img, canvas, .file-preview, .file"
        self._of(element, shown).first.wait_for(state="attached")
        self._uploaded[element] = files
        self._settle(3)

    def take_out(self, element: str) -> None:
        """Take the picture out of an input, and what was drawn on it."""
        names = "Clear", "Remove Image", "Remove"
        kinds = ", ".join(f'button[aria-label="{n}"], button[title="{n}"]' for n in names)
        self._of(element, kinds).first.click()
        self._uploaded.pop(element, None)
        self._settle()

    def draw(self, element: str) -> None:
        """Drag the brush across the picture of an editor."""
        canvas = self.page.locator(f"#{element} canvas").last
        canvas.scroll_into_view_if_needed()
        # canvas-zoom-and-pan hides a picture that overflows when the mouse comes, and fits it.
        canvas.hover(force=True)
        self._settle()
        box = canvas.bounding_box()
        assert box is not None, f"{element} shows no canvas to draw on"
        self._changes(f"{element} drawing", lambda: self.take_out(element))
        mouse = self.page.mouse
        mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4)
        mouse.down()
        mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.6, steps=12)
        mouse.up()
        self._settle(2)

    def click(self, element: str) -> None:
        """Press a button of the page, by its id or its text."""
        button = self.page.locator(f"#{element}:visible")
        if not button.count():
            button = self.page.locator("button:visible").get_by_text(element, exact=True)
        button.first.click()
        self._settle(3)

    # ---- generating

    def generate(self, button: str = "generate", timeout: float = 90) -> None:
        """Press Generate and wait until the page shows the result."""
        self.press(button)
        self.finished(timeout)
        failed = self.page.locator(f"#html_log_{self._part} .error")
        assert failed.count() == 0, failed.first.inner_text()

    def press(self, button: str = "generate") -> None:
        """Press Generate, as soon as the page shows the result of the press before.

        gradio 4 drops a press while it still waits for the last one's result, though the button
        is there again.
        """
        self.finished()
        self._awaited = self._part, self.page.evaluate(_RESULT, self._part)
        self.page.click(f"#{self._part}_{button}")

    def finished(self, timeout: float = 90) -> None:
        """Wait until the page shows the result of the last press."""
        if self._awaited is None:
            return
        arg = list(self._awaited)
        self.page.wait_for_function(_DONE, arg=arg, timeout=timeout * 1000)
        self._awaited = None
        self._settle()

    def gallery(self) -> list[Image.Image]:
        """The pictures that the result gallery offers, grids first where the webui shows them."""
        thumbnails = self.page.locator(
            f"#{self._part}_gallery .thumbnails img, #{self._part}_gallery .grid-container img"
        )
        sources = dict.fromkeys(thumbnails.evaluate_all("all => all.map(img => img.src)"))
        return [self._picture(source) for source in sources]

    def generation_info(self) -> dict[str, object]:
        value = self._of(f"generation_info_{self.tab}", "textarea").first.input_value()
        made: dict[str, object] = json.loads(value)
        return made

    @property
    def _part(self) -> str:
        return self.tab.lower()

    def _settle(self, times: int = 1) -> None:
        """Wait until gradio's handlers were sent what changed, and have answered."""
        self.page.wait_for_timeout(times * SETTLE)
        self._pending.wait()

    def _changes(self, key: str, undo: Callable[[], None]) -> None:
        self._undo.setdefault(f"{self.tab} {key}", (self.tab, undo))

    def _picture(self, source: str) -> Image.Image:
        # Once more where the server had just closed an idle connection, which is its right.
        answer = self.page.request.get(source, max_retries=1)
        assert answer.ok, f"{source}: {answer.status}"
        return Image.open(io.BytesIO(answer.body()))

    def _of(self, element: str, kinds: str) -> Locator:
        root = _root(element)
        return self.page.locator(", ".join(f"{root} {kind.strip()}" for kind in kinds.split(",")))


def _root(element: str) -> str:
    label = element.removeprefix("label:")
    if label == element:
        return f"#{element}"
    return f'.block:visible:not(:has(.block)):has(span:text-is("{label}"))'


def _number(text: str) -> float:
    value = float(text)
    return int(value) if value.is_integer() else value


def _match(names: Sequence[str], value: str) -> int | None:
    exact = [n for n, name in enumerate(names) if name == value]
    begins = [n for n, name in enumerate(names) if name.startswith(value)]
    return next(iter([*exact, *begins]), None)
