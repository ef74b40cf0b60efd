"""The asynchronous client: every method of `WebUI`, awaited, on threads of its own.

There is one client, and this one runs it: what a method of `WebUI` learns, its likeness here knows,
types included::

    async with AsyncWebUI("http://127.0.0.1:7860") as webui:
        generation, models = await asyncio.gather(webui.txt2img(payload), webui.models())
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial, wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from .client import WebUI
from .job import Cancel
from .records import Progress

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 32
"""Calls that run at once; more wait."""
PATIENCE = 30.0
"""Seconds that a cancelled generation waits for the server to have stopped."""


class _Awaited(Generic[P, T]):
    """A method of `WebUI` as a coroutine function of `AsyncWebUI`."""

    def __init__(self, method: Callable[Concatenate[WebUI, P], T]) -> None:
        self._method = method
        self._stoppable = "cancel" in inspect.signature(method).parameters
        self.__doc__ = method.__doc__

    def __get__(
        self, webui: AsyncWebUI, owner: type[AsyncWebUI]
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        @wraps(self._method)
        async def call(*args: P.args, **kwargs: P.kwargs) -> T:
            if self._stoppable:
                return await _stopping(webui, self._method, args, kwargs)
            return await webui.run(lambda client: self._method(client, *args, **kwargs))

        return call


class AsyncWebUI:
    """A running webui: its address, or a `WebUI` with all options, which is then closed with this.

    A cancelled generation tells the server to stop, and waits for that, 30 seconds at most.
    `progress` is called in the event loop and may be a coroutine function. For what is no method
    of `WebUI` itself: ``await webui.run(lambda webui: webui.captures.latest())``.
    """

    def __init__(self, webui: WebUI | str) -> None:
        self.sync = WebUI(webui) if isinstance(webui, str) else webui
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="payload-replay")

    def __repr__(self) -> str:
        return f"AsyncWebUI({self.sync.url!r})"

    async def __aenter__(self) -> AsyncWebUI:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; a call that still runs goes on without being waited for."""
        self.sync.close()
        self._threads.shutdown(wait=False)

    async def run(self, work: Callable[[WebUI], T]) -> T:
        """What `work` makes of the synchronous client, on a thread."""
        return await self._started(work)

    def _started(self, work: Callable[[WebUI], T]) -> asyncio.Future[T]:
        call = partial(contextvars.copy_context().run, work, self.sync)
        return asyncio.get_running_loop().run_in_executor(self._threads, call)

    txt2img = _Awaited(WebUI.txt2img)
    img2img = _Awaited(WebUI.img2img)
    extra_single_image = _Awaited(WebUI.extra_single_image)
    extra_batch_images = _Awaited(WebUI.extra_batch_images)
    generate = _Awaited(WebUI.generate)
    post = _Awaited(WebUI.post)
    replay = _Awaited(WebUI.replay)
    check = _Awaited(WebUI.check)
    migrate = _Awaited(WebUI.migrate)
    minimal = _Awaited(WebUI.minimal)
    progress = _Awaited(WebUI.progress)
    interrupt = _Awaited(WebUI.interrupt)
    skip = _Awaited(WebUI.skip)
    png_info = _Awaited(WebUI.png_info)
    interrogate = _Awaited(WebUI.interrogate)
    options = _Awaited(WebUI.options)
    set_options = _Awaited(WebUI.set_options)
    cmd_flags = _Awaited(WebUI.cmd_flags)
    memory = _Awaited(WebUI.memory)
    models = _Awaited(WebUI.models)
    vaes = _Awaited(WebUI.vaes)
    modules = _Awaited(WebUI.modules)
    samplers = _Awaited(WebUI.samplers)
    schedulers = _Awaited(WebUI.schedulers)
    scripts = _Awaited(WebUI.scripts)
    script_info = _Awaited(WebUI.script_info)
    extensions = _Awaited(WebUI.extensions)
    upscalers = _Awaited(WebUI.upscalers)
    realesrgan_models = _Awaited(WebUI.realesrgan_models)
    latent_upscale_modes = _Awaited(WebUI.latent_upscale_modes)
    face_restorers = _Awaited(WebUI.face_restorers)
    loras = _Awaited(WebUI.loras)
    hypernetworks = _Awaited(WebUI.hypernetworks)
    styles = _Awaited(WebUI.styles)
    embeddings = _Awaited(WebUI.embeddings)
    refresh_checkpoints = _Awaited(WebUI.refresh_checkpoints)
    refresh_vae = _Awaited(WebUI.refresh_vae)
    refresh_embeddings = _Awaited(WebUI.refresh_embeddings)
    refresh_loras = _Awaited(WebUI.refresh_loras)
    unload_checkpoint = _Awaited(WebUI.unload_checkpoint)
    reload_checkpoint = _Awaited(WebUI.reload_checkpoint)
    call = _Awaited(WebUI.call)
    send = _Awaited(WebUI.send)


class _Either:
    """Set once the task is cancelled, or what the caller gave is set."""

    def __init__(self, given: Cancel | None) -> None:
        self.task = threading.Event()
        self._given = given

    def is_set(self) -> bool:
        return self.task.is_set() or (self._given is not None and self._given.is_set())


async def _stopping(
    webui: AsyncWebUI, method: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> T:
    """Run a generation; where its task is cancelled, the server's job is stopped too."""
    cancel = _Either(kwargs.get("cancel"))
    kwargs = {**kwargs, "cancel": cancel}
    if tell := kwargs.get("progress"):
        kwargs["progress"] = partial(_in_loop, asyncio.get_running_loop(), tell)
    running = webui._started(lambda client: method(client, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        cancel.task.set()
        running.add_done_callback(_looked_at)
        await asyncio.wait([running], timeout=PATIENCE)
        raise


def _looked_at(running: asyncio.Future[Any]) -> None:
    """Whatever came of what nobody awaits any more, asyncio is not to complain of it."""
    if not running.cancelled():
        running.exception()


def _in_loop(
    loop: asyncio.AbstractEventLoop, tell: Callable[[Progress], Any], found: Progress
) -> None:
    """Call `tell` in the event loop, and wait for it, unless the loop ends before."""

    async def told() -> None:
        result = tell(found)
        if inspect.isawaitable(result):
            await result

    telling: Future[None] = asyncio.run_coroutine_threadsafe(told(), loop)
    while not loop.is_closed():
        if wait([telling], 1.0).done:  # not by result(1.0), whose TimeoutError may be `tell`'s own
            return telling.result()
