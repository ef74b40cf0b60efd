from __future__ import annotations

import pytest

from payload_replay.commands.options import credentials

pytestmark = pytest.mark.once


def test_credentials() -> None:
    assert credentials("a:b:c") == ("a", "b:c")
    assert credentials("a:") == ("a", "")
    assert credentials(None) is None
    with pytest.raises(ValueError, match="USER:PASSWORD"):
        credentials("a")
