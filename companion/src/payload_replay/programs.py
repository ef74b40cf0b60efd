"""A capture as a program: Python with requests or with this package, JavaScript, a pytest.

Python holds the payload as a literal. JavaScript holds it as JSON text, since a number of
JavaScript is neither 7.0 nor an integer beyond 2**53, and both are values that an API can tell.
"""

from __future__ import annotations

import math
import re
from typing import Any

from .capture import DEEPEST, Capture, FormatError, escaped
from .posting import AUTH, URL, Posting

WIDTH = 88
"""Characters of a line up to which a list or dict of Python is written on one."""


def requests(posting: Posting) -> str:
    """Python with requests."""
    found = '[answer.json()["image"]]' if posting.key == "image" else 'answer.json()["images"]'
    return (
        "import base64\n"
        "import os\n"
        "from pathlib import Path\n\n"
        "import requests\n\n"
        f"{_python_server(posting)}"
        f"{_python_picture(posting)}\n"
        f"payload = {literal(posting.payload, posting.words)}\n\n"
        "answer = requests.post(\n"
        f'    f"{{server}}{posting.endpoint}",\n'
        "    json=payload,\n"
        '    auth=tuple(auth.encode().split(b":", 1)) if auth else None,\n'
        "    timeout=(10, 600),\n"
        ")\n"
        "if not answer.ok:\n"
        "    raise SystemExit(answer.text)\n"
        f"for number, image in enumerate({found}, 1):\n"
        f'    Path(f"{posting.name}-{{number}}.{posting.suffix}")'
        ".write_bytes(base64.b64decode(image))\n"
    )


def package(posting: Posting) -> str:
    """Python with this package, which leaves the server's settings as they were."""
    return (
        f"{'import base64' + chr(10) if posting.words else ''}"
        "import os\n"
        "from pathlib import Path\n\n"
        "from payload_replay import Capture, WebUI\n\n"
        f"{_python_server(posting)}"
        f"{_python_picture(posting)}\n"
        f"payload = {literal(posting.payload, posting.words)}\n\n"
        'webui = WebUI(server, auth=tuple(auth.split(":", 1)) if auth else None)\n'
        f'capture = Capture.from_payload(payload, "{posting.endpoint}")\n'
        "replay = webui.replay(capture, verify=False)\n"
        'if replay.verdict == "refused":\n'
        "    raise SystemExit(replay.reason)\n"
        "for number, picture in enumerate(replay.pictures, 1):\n"
        f'    Path(f"{posting.name}-{{number}}.{posting.suffix}").write_bytes(picture.data)\n'
    )


def pytest(posting: Posting, capture: Capture) -> str:
    """A test that the same pictures come back, by the hashes of their pixels."""
    document = capture.to_dict() | {"payload": escaped(posting.payload), "template": {}}
    document["assets"] = {}
    for result in document["results"]:
        result["asset"] = result["thumbnail"] = None
    name = re.sub(r"\W", "_", posting.name)
    return (
        f"{'import base64' + chr(10) if posting.words else ''}"
        "import os\n"
        f"{'from pathlib import Path' + chr(10) if posting.words else ''}\n"
        "from payload_replay import WebUI\n\n"
        f"{_python_server(posting)}"
        f"{_python_picture(posting)}\n"
        f"capture = {literal(document, posting.words)}\n\n\n"
        f"def test_{name}():\n"
        '    webui = WebUI(server, auth=tuple(auth.split(":", 1)) if auth else None)\n'
        "    replay = webui.replay(capture)\n"
        '    assert replay.verdict == "identical", replay.reason\n'
    )


def fetch(posting: Posting) -> str:
    """JavaScript for a browser: a console of the webui's page, or a module of another one."""
    return (
        "// In the console of the webui's own page, or as a module of a page whose address\n"
        "// is in the webui's --cors-allow-origins.\n"
        f'const server = globalThis.{URL} ?? "{posting.server}";\n'
        f'const auth = globalThis.{AUTH}; // "USER:PASSWORD"\n'
        'const headers = { "Content-Type": "application/json" };\n'
        "if (auth) {\n"
        "  const bytes = new TextEncoder().encode(auth);\n"
        '  headers.Authorization = "Basic " + btoa(String.fromCharCode(...bytes));\n'
        "}\n"
        f"{_FETCHED if posting.words else ''}"
        f"{_script_sent(posting)}"
        "  const bytes = Uint8Array.from(atob(image), (character) => character.charCodeAt(0));\n"
        '  const link = document.createElement("a");\n'
        "  link.href = URL.createObjectURL(new Blob([bytes]));\n"
        f"  link.download = `{posting.name}-${{index + 1}}.{posting.suffix}`;\n"
        "  link.click();\n"
        "}\n"
    )


def node(posting: Posting) -> str:
    """JavaScript for Node 18 and later, which waits 300 s for an answer."""
    names = "readFile, writeFile" if posting.words else "writeFile"
    return (
        f'import {{ {names} }} from "node:fs/promises";\n\n'
        f'const server = process.env.{URL} ?? "{posting.server}";\n'
        f"const auth = process.env.{AUTH};\n"
        'const headers = { "Content-Type": "application/json" };\n'
        "if (auth) {\n"
        '  headers.Authorization = "Basic " + Buffer.from(auth).toString("base64");\n'
        "}\n"
        f"{_READ if posting.words else ''}"
        f"{_script_sent(posting)}"
        f"  await writeFile(`{posting.name}-${{index + 1}}.{posting.suffix}`, "
        'Buffer.from(image, "base64"));\n'
        "}\n"
    )


_READ = (
    'const picture = (name) => readFile(new URL(name, import.meta.url), { encoding: "base64" });\n'
)
_FETCHED = """const picture = async (name) => {
  const blob = await (await fetch(name)).blob();
  const reader = new FileReader();
  await new Promise((done) => { reader.onload = done; reader.readAsDataURL(blob); });
  return reader.result.split(",")[1];
};
"""


def literal(value: Any, words: dict[str, str], indent: int = 0, depth: int = 0) -> str:
    """`value` of JSON as Python; words that stand for a picture as a call that reads it.

    Raises:
        FormatError: NaN, infinity, or nested too deeply.
    """
    if depth > DEEPEST:
        raise FormatError("payload", "nested too deeply to be exported")
    if isinstance(value, str):
        return _python_text(value, words)
    if isinstance(value, float) and not math.isfinite(value):
        raise FormatError("payload", f"{value} cannot be sent: JSON has no NaN or infinity")
    if not isinstance(value, (dict, list)):
        return repr(value)
    inner = indent + 4
    if isinstance(value, dict):
        items = [f"{_repr(k)}: {literal(v, words, inner, depth + 1)}" for k, v in value.items()]
        return _bracketed("{", items, "}", indent)
    return _bracketed("[", [literal(v, words, inner, depth + 1) for v in value], "]", indent)


def _bracketed(start: str, items: list[str], end: str, indent: int) -> str:
    line = start + ", ".join(items) + end
    if "\n" not in line and len(line) + indent <= WIDTH:
        return line
    space = " " * (indent + 4)
    return f"{start}\n{''.join(f'{space}{item},{chr(10)}' for item in items)}{' ' * indent}{end}"


def _python_text(text: str, words: dict[str, str]) -> str:
    for word, name in words.items():
        if text.endswith(word):
            before = text.removesuffix(word)
            return f"{_repr(before) + ' + ' if before else ''}picture({_repr(name)})"
    return _repr(text)


def _repr(text: str) -> str:
    """As ruff would quote it; control characters, and what has no UTF-8, are escaped by repr."""
    made = repr(text)
    if made[0] == "'" and '"' not in made:
        return '"' + made[1:-1] + '"'
    return made


def _python_server(posting: Posting) -> str:
    return (
        f'server = os.environ.get("{URL}", "{posting.server}")\n'
        f'auth = os.environ.get("{AUTH}")  # USER:PASSWORD\n'
    )


def _python_picture(posting: Posting) -> str:
    if not posting.words:
        return ""
    return (
        "\n\ndef picture(name: str) -> str:\n"
        "    return base64.b64encode((Path(__file__).parent / name).read_bytes()).decode()\n\n"
    )


def _script_sent(posting: Posting) -> str:
    """From the body to the loop over the pictures."""
    # What ends a template or a <script>, or starts a substitution, as JSON's own escapes.
    body = posting.filled(posting.json("`$<"), lambda name: f'${{await picture("{name}")}}')
    found = "[answer.image]" if posting.key == "image" else "answer.images"
    return (
        f"const body = String.raw`{body}`;\n\n"
        f"const response = await fetch(`${{server}}{posting.endpoint}`, "
        '{ method: "POST", headers, body });\n'
        "if (!response.ok) throw new Error(await response.text());\n"
        "const answer = await response.json();\n"
        f"for (const [index, image] of {found}.entries()) {{\n"
    )
