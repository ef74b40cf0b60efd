"""What a recorded webui answers, without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fake_webui import API
from json_values import json_values
from payload_replay.capture import TXT2IMG
from payload_replay.recordings import Recordings
from payload_replay.site import Site

pytestmark = pytest.mark.once

values = json_values(most=3, leaves=10)
payloads = st.dictionaries(
    st.sampled_from(["prompt", "seed", "override_settings", "alwayson_scripts", "script_name"]),
    values,
)


def test_a_body_that_is_too_deep_changes_nothing(folder) -> None:
    """An option is compared with what recordings pin, long after it was sent."""
    home = folder({"override_settings": {"sd_vae": "soft"}})
    site = Site(Recordings(home), None, always=False)
    cat = {"prompt": "a cat", "seed": 7, "steps": 2, "width": 16, "height": 16}
    body = json.dumps(cat).encode()
    assert site.respond("POST", TXT2IMG, body).status == 200
    deep = b'{"sd_vae": ' + b"[" * 300 + b"]" * 300 + b"}"
    assert site.respond("POST", f"{API}/options", deep).status == 422
    assert site.respond("POST", TXT2IMG, body).status == 200


@given(payloads)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_payload_has_an_answer(folder, payload: Any) -> None:
    site = Site(Recordings(folder()), None, always=False)
    for path in (TXT2IMG, f"{API}/options", f"{API}/png-info"):
        reply = site.respond("POST", path, json.dumps(payload).encode())
        assert reply.status in (200, 404) or path == f"{API}/png-info"
        json.loads(reply.body)
