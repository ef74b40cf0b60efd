"""A webui's page without a browser: sets fields by their element ids and presses Generate.

What the page sends then is what a browser would: all inputs of that button, in its order, by
gradio's own protocol (a websocket in gradio 3, server-sent events in gradio 4).
"""

from __future__ import annotations

import base64
import html
import json
import random
import re
import string
from collections.abc import Iterator, Mapping
from typing import Any, cast

import requests

from .errors import ServerError, UnexpectedAnswer
from .job import new_task

_FAILED = "the page's generation failed"
_ERROR = re.compile(r"""class=["']error["']>([^<]*)<""")  # where the webui shows an exception


class Page:
    """The page at `url`. `timeout` is in seconds, for each answer.

    `session` may hold the cookie of a login; its proxies and certificates are kept to.
    """

    def __init__(
        self, url: str, timeout: float = 120, session: requests.Session | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._session = session or requests.Session()
        self._config = self._session.get(f"{self.url}/config", timeout=timeout).json()
        self._components = {part["id"]: part for part in self._config["components"]}
        self._hash = _random(10)

    @property
    def modern(self) -> bool:
        """Whether this is gradio 4 or later."""
        return int(str(self._config["version"]).partition(".")[0]) >= 4

    def generate(self, tab: str, fields: Mapping[str | int, Any]) -> list[Any]:
        """Press Generate in ``txt2img`` or ``img2img``.

        Args:
            fields: values by element id, ``txt2img_prompt`` for instance; a picture's value is
                its file's bytes; an int stands for a place among the inputs that has no id.

        Returns: what the button's outputs show: pictures, their account as JSON, two texts.

        Raises:
            ServerError: the generation failed, in the page's words.
            KeyError: no such element belongs to this button.
        """
        number, inputs = self._button(f"{tab}_generate")
        values = [self._initial(part) for part in inputs]
        values[0] = new_task()  # as the page's own script fills it in
        for name, value in fields.items():
            values[name if isinstance(name, int) else _place(inputs, name)] = self._value(value)
        return self._run(number, values)

    def _button(self, element: str) -> tuple[int, list[dict[str, Any]]]:
        for number, dependency in enumerate(self._config["dependencies"]):
            if element in self._elements(dependency["targets"]):
                return number, [self._components[one] for one in dependency["inputs"]]
        raise KeyError(element)

    def _elements(self, targets: list[Any]) -> Iterator[str | None]:
        for target in targets:
            number = target[0] if isinstance(target, list) else target
            if number in self._components:  # a listener of the page itself has no element
                yield self._components[number]["props"].get("elem_id")

    def _initial(self, part: dict[str, Any]) -> Any:
        """What a browser sends of a field that nobody touched."""
        value = part["props"].get("value")
        if value is None and part["type"] == "textbox":
            return ""
        if value is None and part["props"].get("multiselect"):
            return []
        return value

    def _value(self, value: Any) -> Any:
        if not isinstance(value, bytes):
            return value
        if not self.modern:
            return f"data:image/png;base64,{base64.b64encode(value).decode()}"
        files = {"files": ("picture.png", value, "image/png")}
        sent = self._session.post(f"{self.url}/upload", files=files, timeout=self.timeout)
        return {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}

    def _run(self, number: int, values: list[Any]) -> list[Any]:
        messages = self._events if self.modern else self._socket
        for message in messages(number, values):
            if message.get("msg") == "process_completed":
                return _outputs(message)
        raise UnexpectedAnswer("the page's queue ended without a result; look into the log")

    def _events(self, number: int, values: list[Any]) -> Iterator[dict[str, Any]]:
        body = {"data": values, "fn_index": number, "session_hash": self._hash}
        joined = self._session.post(f"{self.url}/queue/join", json=body, timeout=self.timeout)
        joined.raise_for_status()
        stream = self._session.get(
            f"{self.url}/queue/data",
            params={"session_hash": self._hash},
            stream=True,
            timeout=self.timeout,
        )
        with stream:
            for line in stream.iter_lines():
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])

    def _socket(self, number: int, values: list[Any]) -> Iterator[dict[str, Any]]:
        from websockets.sync.client import connect

        who = {"fn_index": number, "session_hash": self._hash}
        answers = {"send_hash": who, "send_data": who | {"data": values, "event_data": None}}
        address = f"ws{self.url.removeprefix('http')}/queue/join"
        page = self._session.prepare_request(requests.Request("GET", self.url))
        cookie = page.headers.get("Cookie")
        headers = {"Cookie": cookie} if cookie else {}
        with connect(
            address, max_size=None, open_timeout=self.timeout, additional_headers=headers
        ) as socket:
            while True:
                message = json.loads(socket.recv(self.timeout))
                yield message
                if message["msg"] in answers:
                    socket.send(json.dumps(answers[message["msg"]]))


def _random(length: int) -> str:
    return "".join(random.choices(string.ascii_lowercase + string.digits, k=length))


def _place(inputs: list[dict[str, Any]], element: str) -> int:
    """Where among a button's inputs an element is; a checkbox beside its accordion counts too."""
    for index, part in enumerate(inputs):
        if part["props"].get("elem_id") in (element, f"{element}-checkbox"):
            return index
    raise KeyError(element)


def _outputs(message: Mapping[str, Any]) -> list[Any]:
    output = message.get("output") or {}
    if not message.get("success") or "data" not in output:
        raise ServerError(500, _FAILED, str(output.get("error") or ""))
    shown = cast("list[Any]", output["data"])
    for text in shown:
        if isinstance(text, str) and (error := _ERROR.search(text)):
            raise ServerError(500, _FAILED, html.unescape(error[1]))
    return shown
