"""The pytest plugin: a capture as a test, replayed through a running webui.

    @pytest.mark.webui_capture("cat.json")
    def test_cat(webui_replay):
        webui_replay()

The fixture's value is a `Replayer`: called, it replays the marker's captures, or those that it is
given, fails where a picture is not identical, and returns the replays. Names are files beside the
test, then below pytest's root folder, then ids on the server.

Nothing of the client is imported before a test asks for it: pytest starts as fast as without.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from .capture import Capture
    from .client import WebUI
    from .replay import Replay

MARK = "webui_capture"
FIXTURE = "webui_replay"
AUTH = "PAYLOAD_REPLAY_AUTH"
ALLOWED = {"identical": ("identical",), "close": ("identical", "close")}

_updated: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, in a group of their own."""
    group = parser.getgroup("webui", "captures replayed through a Stable Diffusion WebUI")
    group.addoption(
        "--webui-url",
        metavar="URL",
        default=os.environ.get("PAYLOAD_REPLAY_SERVER"),
        help="the webui that replays, http://[user:password@]host:port; "
        "by default $PAYLOAD_REPLAY_SERVER, with $PAYLOAD_REPLAY_AUTH as user:password",
    )
    group.addoption(
        "--webui-update",
        action="store_true",
        help="write the pictures that come into the capture files, as what is expected from now on",
    )
    group.addoption(
        "--webui-fail-if-missing",
        action="store_true",
        help="fail, instead of skipping, where there is no webui or no such capture",
    )
    group.addoption(
        "--webui-report",
        metavar="DIR",
        default="webui-report",
        help="where failing tests leave expected, actual and difference (%(default)s)",
    )
    group.addoption(
        "--webui-timeout",
        metavar="SECONDS",
        type=float,
        default=600.0,
        help="how long to wait for a generation (%(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, for ``--strict-markers`` and ``--markers``."""
    config.addinivalue_line(
        "markers",
        f"{MARK}(*sources, endpoint=None, allow='identical'): captures that the fixture "
        f"{FIXTURE} replays; allow='close' takes pictures that are close as well",
    )
    config.stash[_updated] = []


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A marked test without the fixture would replay nothing, and pass."""
    if item.get_closest_marker(MARK) and FIXTURE not in getattr(item, "fixturenames", ()):
        pytest.fail(f"the mark {MARK} needs the fixture {FIXTURE}, and a call of it", pytrace=False)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name each capture file that was rewritten."""
    for path in config.stash[_updated]:
        terminalreporter.write_line(f"webui: updated {path}")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The marker's options; a misspelt one fails the test.

    `endpoint` is where a bare payload belongs; `allow` the verdict that passes.
    """

    endpoint: str | None = None
    allow: str = "identical"

    def __post_init__(self) -> None:
        if self.allow not in ALLOWED:
            raise ValueError(f"allow={self.allow!r}: choose one of {', '.join(ALLOWED)}")


class Replayer:
    """Replays captures for one test; see the module."""

    def __init__(self, item: pytest.Item, webui: WebUI | None, marker: pytest.Mark | None) -> None:
        self._item = item
        self._webui = webui
        self.sources = tuple(os.fspath(one) for one in marker.args) if marker else ()
        self._options = dict(marker.kwargs) if marker else {}
        self.called = False

    def __call__(self, *sources: str | os.PathLike[str], **options: Any) -> list[Replay]:
        """Replay `sources`, or the marker's, in order; the replays.

        Args:
            options: as the marker's: `endpoint`, `allow`.

        Raises:
            AssertionError: the pictures differ, or a capture was refused.
        """
        __tracebackhide__ = True
        self.called = True
        wanted = _wanted({**self._options, **options})
        names = tuple(os.fspath(one) for one in sources) or self.sources
        if not names:
            raise ValueError(f"{FIXTURE}() needs a capture: name one, or mark the test with {MARK}")
        replays = []
        for name in names:  # a comprehension would be one more frame of the failing test
            replays.append(self._one(name, wanted))  # noqa: PERF401
        return replays

    def _one(self, name: str, wanted: Wanted) -> Replay:
        __tracebackhide__ = True
        if self._webui is None:
            self._missing("no webui: give --webui-url URL, or set PAYLOAD_REPLAY_SERVER")
        path, capture = self._load(self._webui, name, wanted)
        replay = self._replay(self._webui, capture)
        self._note(name, replay)
        if self._updates(replay):
            self._update(self._webui, path, name, replay)
        elif replay.verdict not in ALLOWED[wanted.allow]:
            raise AssertionError(self._told(self._webui, name, replay))
        return replay

    def _load(self, webui: WebUI, name: str, wanted: Wanted) -> tuple[Path | None, Capture]:
        from .errors import BadSource, ConnectionFailed, NotFound
        from .source import full, load

        path = self._file(name)
        try:
            return path, load(str(path or name), webui, full(wanted.endpoint))
        except ConnectionFailed as error:
            self._missing(str(error))
        except (BadSource, NotFound) as error:
            if path is not None:
                raise
            self._missing(f"no capture {name}, neither beside the test nor on the server: {error}")

    def _file(self, name: str) -> Path | None:
        for folder in (self._item.path.parent, self._item.config.rootpath):
            if (folder / name).is_file():
                return folder / name
        return None

    def _replay(self, webui: WebUI, capture: Capture) -> Replay:
        from .errors import ConnectionFailed

        try:
            return webui.replay(capture)
        except ConnectionFailed as error:
            self._missing(str(error))

    def _missing(self, reason: str) -> NoReturn:
        if self._item.config.getoption("webui_fail_if_missing"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)

    def _note(self, name: str, replay: Replay) -> None:
        """What JUnit's file and other reports show of the test."""
        told = {"webui_capture": name, "webui_verdict": replay.verdict}
        self._item.user_properties += [*told.items(), ("webui_reason", replay.reason)]

    def _updates(self, replay: Replay) -> bool:
        asked = bool(self._item.config.getoption("webui_update"))
        return asked and replay.verdict not in ("identical", "refused")

    def _update(self, webui: WebUI, path: Path | None, name: str, replay: Replay) -> None:
        if path is None:
            reason = f"{name} is no file; export it beside the test first"
            pytest.fail(f"--webui-update: {reason}", pytrace=False)
        from .errors import BadSource

        try:
            update(path, replay, webui.captures.asset)
        except BadSource as error:
            pytest.fail(f"--webui-update: {error}", pytrace=False)
        self._item.config.stash[_updated].append(str(path))

    def _told(self, webui: WebUI, name: str, replay: Replay) -> str:
        """The message of a failing test; the pictures are written on the way."""
        from .remains import leave

        lines = [f"{name} came back {replay.verdict}: {replay.reason}"]
        if replay.verdict == "unverified":
            lines = [f"{name} has no expected pictures: --webui-update writes those that come"]
        root = self._item.config.rootpath / str(self._item.config.getoption("webui_report"))
        folder = root / slug(self._item.nodeid) / slug(name)
        images = replay.images
        for left in leave(folder, replay.capture, images, webui.captures.asset):
            lines += [f"  {line}" for line in left.lines()]
            self._item.user_properties += [(f"webui_{k}", str(v)) for k, v in left.files.items()]
        return "\n".join(lines)


def update(path: Path, replay: Replay, fetch: Callable[[str], bytes] | None = None) -> None:
    """Rewrite a capture's file so that it expects the pictures that came; whole or not at all.

    A bare payload becomes a capture, a bundle stays one. The seeds that the server drew are pinned.

    Raises:
        BadSource: the file is of another kind, such as a picture, and is left as it is.
    """
    from . import files
    from .export import FORMATS
    from .recorder import renewed

    form = _form(path)
    capture = renewed(replay.capture, replay.pictures, replay.info)
    files.write(path, FORMATS[form](capture, fetch))


def _form(path: Path) -> str:
    """The format in which a file can be written anew. Raises BadSource where there is none."""
    from . import bundle, importers
    from .capture import FormatError, read_json
    from .errors import BadSource

    data = path.read_bytes()
    if bundle.is_bundle(data):
        return "bundle"
    try:
        document = read_json(data)
        if "format" in document or importers.read(data).is_payload:
            return "json"
    except FormatError:
        pass  # no JSON at all: a picture, a command line
    raise BadSource(
        f"{path} is no capture, bundle or payload, and is not overwritten by one: export it as "
        "JSON beside it, and name that file"
    )


def slug(text: str) -> str:
    """A text as the name of a folder: at most 100 characters that every system takes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")[-100:] or "capture"


def _wanted(options: dict[str, Any]) -> Wanted:
    try:
        return Wanted(**options)
    except TypeError as error:
        known = ", ".join(Wanted.__dataclass_fields__)
        raise TypeError(f"{MARK}: {error}; its options are {known}") from error


def _credentials(text: str | None) -> tuple[str, str] | None:
    if not text:
        return None
    user, colon, password = text.partition(":")
    if not colon:
        # No traceback: it would show the password.
        pytest.fail(f"{AUTH} is USER:PASSWORD, with a colon between them", pytrace=False)
    return user, password


@pytest.fixture(scope="session")
def _webui(pytestconfig: pytest.Config) -> Iterator[WebUI | None]:
    url = pytestconfig.getoption("webui_url")
    if not url:
        yield None
        return
    from .client import WebUI

    with WebUI(
        url, _credentials(os.environ.get(AUTH)), (10, pytestconfig.getoption("webui_timeout"))
    ) as webui:
        yield webui


@pytest.fixture
def webui_replay(
    request: pytest.FixtureRequest, _webui: WebUI | None
) -> Generator[Replayer, None, None]:
    """Replays the captures of the mark ``webui_capture``, or those that it is called with."""
    replayer = Replayer(request.node, _webui, request.node.get_closest_marker(MARK))
    yield replayer
    report = request.node.stash.get(_reports, None)
    if replayer.sources and not replayer.called and (report is None or report.passed):
        pytest.fail(f"marked with {MARK}, but {FIXTURE} was never called", pytrace=False)


_reports: pytest.StashKey[pytest.TestReport] = pytest.StashKey()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Remember how the test itself ended, for the fixture's last check."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.stash[_reports] = report
