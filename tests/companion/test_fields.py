"""The fields that this package knows, held against the webui's own account of them."""

from __future__ import annotations

from typing import Any

import pytest

from payload_replay import WebUI
from payload_replay.capture import EXTRAS_BATCH, EXTRAS_SINGLE, IMG2IMG, TXT2IMG, UPSCALE
from payload_replay.fields import TEXT, known

STANDARD = [TXT2IMG, IMG2IMG, EXTRAS_SINGLE, EXTRAS_BATCH]


@pytest.fixture(scope="module")
def schema(standin) -> Any:
    return WebUI(standin.url).call("GET", "/openapi.json")


def fields(schema: Any, endpoint: str) -> dict[str, Any]:
    body = schema["paths"][endpoint]["post"]["requestBody"]["content"]["application/json"]
    name = body["schema"]["$ref"].rpartition("/")[2]
    return dict(schema["components"]["schemas"][name]["properties"])


def types(told: dict[str, Any]) -> set[str]:
    return {str(one.get("type")) for one in [told, *told.get("anyOf", [])]}


@pytest.mark.parametrize("endpoint", STANDARD)
def test_each_field_of_the_webui_is_known(schema: Any, endpoint: str) -> None:
    assert set(fields(schema, endpoint)) - known(endpoint) == set()


@pytest.mark.parametrize("endpoint", STANDARD)
def test_which_fields_hold_text(schema: Any, endpoint: str) -> None:
    pictures = {"mask", "latent_mask", "image", "firstpass_image"}
    told = {name for name, one in fields(schema, endpoint).items() if "string" in types(one)}
    assert told - TEXT <= pictures
    assert TEXT & set(fields(schema, endpoint)) <= told


def test_an_endpoint_that_is_not_standard() -> None:
    assert known(UPSCALE) == known(TXT2IMG)
    assert known("/x") == frozenset()
