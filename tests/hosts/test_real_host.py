"""What a real webui prints is blamed on the extension, or on whatever a request meets behind it."""

from __future__ import annotations

import pytest

from real_host import is_ours

HEAD = "Traceback (most recent call last):\n"
SERVER = '  File "/venv/uvicorn/h11_impl.py", line 411, in run_asgi\n'
PASSED = '  File "/extension/payload_capture/middleware.py", line 46, in chosen\n'
WEBUI = '  File "/webui/modules/processing.py", line 944, in process_images_inner\n'
SERVICE = '  File "/extension/payload_capture/service.py", line 7, in status\n'


@pytest.mark.parametrize(
    ("printed", "blamed"),
    [
        (HEAD + SERVER + PASSED + WEBUI + "TypeError: no number", False),
        (HEAD + SERVER + PASSED + "TypeError: no number", True),
        (HEAD + SERVER + PASSED + SERVICE + WEBUI + "TypeError: no number", True),
        (HEAD + SERVER + PASSED + WEBUI + "KeyError: payload_capture", True),
        ("*** Error loading script: payload_capture.py", True),
        (HEAD + WEBUI + "TypeError: no number", False),
    ],
)
def test_a_frame_that_a_request_only_passes_is_not_to_blame(printed: str, blamed: bool) -> None:
    assert is_ours(printed) is blamed
