"""What the user has chosen for the extension on the webui's settings page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from payload_capture import host, settings
from payload_capture.capture import Source
from payload_capture.privacy import Privacy
from payload_capture.store import Retention, Store


def enabled(source: Source | None = None) -> bool:
    """Whether jobs are captured, those of a source where one is named."""
    chosen = source is None or settings.SOURCES[source] in (_option(settings.FROM) or ())
    return chosen and bool(_option(settings.ENABLED))


def privacy() -> Privacy:
    """What is left out of captures."""
    pictures, anonymous, blurred = map(
        _option, (settings.PICTURES, settings.ANONYMOUS, settings.BLURRED)
    )
    return Privacy(pictures, bool(anonymous), bool(blurred))


def strangers() -> str:
    """What those may do of whom the webui asks no password: one of `auth.POLICIES`."""
    return str(_option(settings.STRANGERS))


def store(folder: Path) -> Store:
    """The store; `folder` is where it lies unless another database or folder was chosen."""
    database, assets = (str(_option(n)).strip() for n in (settings.DATABASE, settings.ASSETS))
    return Store(folder, database or None, assets or None)


def retention() -> Retention:
    """How much the store may hold."""
    gigabytes = _number(settings.KEEP_GIGABYTES)
    return Retention(
        days=_number(settings.KEEP_DAYS) or None,
        count=int(_number(settings.KEEP_COUNT)) or None,
        bytes=int(gigabytes * 2**30) or None,
    )


def trash_days() -> float:
    """After how many days in the trash a capture is removed; 0 for never."""
    return _number(settings.TRASH_DAYS)


def _option(name: str) -> Any:
    return host.option(name, settings.OWN[name].default)


def _number(name: str) -> float:
    """An option's number, its default where it holds none; not below 0."""
    known = (_option(name), settings.OWN[name].default)
    return max(0.0, float(next(one for one in known if isinstance(one, (int, float)))))
