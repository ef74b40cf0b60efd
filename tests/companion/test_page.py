"""The page is driven as a browser drives it, in both generations of gradio."""

from __future__ import annotations

import json
from typing import Any

import pytest

from payload_replay import ServerError, WebUI
from payload_replay.page import Page

FIELDS: dict[str | int, Any] = {
    "txt2img_prompt": "hills",
    "txt2img_steps": 2,
    "txt2img_width": 64,
    "txt2img_height": 64,
}


@pytest.fixture(scope="module")
def page(standin: Any) -> Page:
    return Page(standin.url)


def test_it_knows_its_gradio(page: Page, flavour: str) -> None:
    assert page.modern is (flavour == "forge")


def test_generate_fills_the_fields_by_their_ids(page: Page, standin: Any) -> None:
    pictures, account, *_ = page.generate("txt2img", FIELDS | {"txt2img_seed": 7})
    told = json.loads(account)
    assert (told["prompt"], told["seed"], told["steps"]) == ("hills", 7, 2)
    assert (told["width"], told["height"]) == (64, 64)
    assert len(pictures) == 1
    assert standin.errors() == []


def test_it_comes_from_the_page_not_from_the_api(page: Page, standin: Any) -> None:
    page.generate("txt2img", FIELDS)
    assert WebUI(standin.url).captures.latest().job.source == "ui"


def test_an_accordions_checkbox_is_meant_by_its_own_id(page: Page) -> None:
    pictures = page.generate("txt2img", FIELDS | {"txt2img_hr": True, "txt2img_hr_scale": 2})
    assert json.loads(pictures[1])["extra_generation_params"]["Hires upscale"] == 2


def test_an_element_that_is_not_there(page: Page) -> None:
    with pytest.raises(KeyError, match="txt2img_colour"):
        page.generate("txt2img", {"txt2img_colour": 1})
    with pytest.raises(KeyError, match="txt3img_generate"):
        page.generate("txt3img", {})


def test_a_generation_that_fails(page: Page, standin: Any) -> None:
    with pytest.raises(ServerError, match=r"the page's generation failed: .+"):
        page.generate("txt2img", FIELDS | {"txt2img_steps": "many"})
    standin.clear_errors()
