"""Runs what `export` writes, each form with the real thing, or what reads it as that would.

cmd and PowerShell run nowhere here: small readers of their quoting, written from Microsoft's
descriptions and not from the exporters, find what they would send, and curl sends it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import playwright
import requests
from requests.auth import HTTPBasicAuth

import environment
from payload_replay.capture import canonical

SRC = environment.ROOT / "companion" / "src"
LONGEST_LINE = 8191
NASTY: dict[str, Any] = {
    "prompt": 'it\'s "a cat" <b> </script> $HOME ${HOME} $(id) `id` %PATH% %% ^ & | ! !!\n'
    "JSON\n'@\n\"@\n'''\n\"\"\"\r\n\ttab \\ \\\\ \\n \\\" {{server}} {a|b} ; ~ 'ä猫🐈\u2028\x7f\\",
    "negative_prompt": "",
    "seed": 7,
    "steps": 2,
    "width": 16,
    "height": 16,
    "cfg_scale": 7.0,
    "eta": 1e-07,
    "own": [12345678901234567890, True, None, [], {}, {"$asset": "mine", "a b'\"": [1.0, 1]}],
}


def same(one: Any, other: Any) -> bool:
    """Whether two payloads are the same JSON: 1, 1.0 and true are three values."""
    return canonical(one) == canonical(other)


def program(name: str, package: str) -> str:
    """The path of a program, which Debian's package brings where it is missing."""
    if not shutil.which(name):
        assert environment.apt_install(package), f"the tests need {name}"
    return shutil.which(name) or name


def node() -> str:
    """The Node that Playwright brings."""
    return str(Path(playwright.__file__).parent / "driver" / "node")


def surroundings(server: str, auth: str | None = None) -> dict[str, str]:
    """The environment of a program: where to send, and as whom."""
    made = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    made |= {"WEBUI_URL": server, "PYTHONPATH": str(SRC)}
    made["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return made | ({"WEBUI_AUTH": auth} if auth else {})


def run(command: list[str], folder: Path, env: Mapping[str, str]) -> str:
    """Run a program in a folder; what it said. Its failure is an AssertionError."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
    )
    said = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, said
    return said


def in_bash(file: Path, env: Mapping[str, str]) -> None:
    program("curl", "curl")
    run(["bash", file.name], file.parent, env)


def in_python(file: Path, env: Mapping[str, str]) -> None:
    run([sys.executable, file.name], file.parent, env)


def in_pytest(file: Path, env: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."]
    assert "1 passed" in run(command, file.parent, env)


def in_node(file: Path, env: Mapping[str, str]) -> None:
    run([node(), file.name], file.parent, env)


# ---- cmd


def in_cmd(file: Path, env: Mapping[str, str]) -> None:
    """Run a batch file as cmd.exe reads it; certutil and PowerShell are imitated."""
    script = file.read_bytes().decode("ascii")
    assert script.count("\n") == script.count("\r\n"), "cmd needs CRLF"
    temporary = file.parent / "temporary folder"
    temporary.mkdir()
    variables = {**env, "TEMP": str(temporary)}
    for line in script.split("\r\n"):
        command = cmd_expanded(line, variables, file)
        assert len(command) <= LONGEST_LINE
        if command == "exit /b":
            return
        cmd_run(cmd_parsed(command), variables, file)


def cmd_expanded(line: str, variables: Mapping[str, str], file: Path) -> str:
    """The first pass: percent signs, whether quoted or not."""
    names = {"~f0": str(file), "~dp0": f"{file.parent}/"}

    def value(found: re.Match[str]) -> str:
        return (found[1] and names[found[1]]) or (variables.get(found[2], "") if found[2] else "%")

    return re.sub(r"%(?:(~f0|~dp0)|([A-Za-z_]+)%|%)", value, line)


def cmd_parsed(line: str) -> str:
    """The second pass: carets and redirections; what the program gets as its command line."""
    made, quoted = "", False
    characters = iter(line.removesuffix(" >nul"))
    for character in characters:
        if character == '"':
            quoted = not quoted
        if not quoted and character == "^":
            character = next(characters)
        else:
            assert quoted or character not in "&|<>()", f"cmd acts on {character} in {line}"
        made += character
    return made


def cmd_run(line: str, variables: dict[str, str], file: Path) -> None:
    if match := re.fullmatch(r"if (not )?defined (\w+) (.*)", line):
        if (match[2] in variables) is not bool(match[1]):
            cmd_run(match[3], variables, file)
    elif match := re.fullmatch(r'set "(\w+)=(.*)"|set (\w+)=(.*)', line):
        variables[match[1] or match[3]] = match[2] if match[1] else match[4]
        if not variables[match[1] or match[3]]:
            del variables[match[1] or match[3]]
    elif line.startswith("powershell "):
        powershell_line(c_arguments(line)[-1], Path(variables["TEMP"]), file.parent)
    elif line.startswith("certutil -f -decode "):
        source, target = c_arguments(line)[3:]
        block = Path(source).read_text().split("-----")[2]
        Path(target.replace("\\", "/")).write_bytes(base64.b64decode(block))
    elif line.startswith("curl "):
        temp = variables["TEMP"] + "\\"
        slashed = [a.replace(temp, temp[:-1] + "/") for a in c_arguments(line)]
        run([program("curl", "curl"), *slashed[1:]], file.parent, variables)
    else:
        assert line in ("@echo off", "setlocal", "") or line.startswith("cd /d "), line


def c_arguments(line: str) -> list[str]:
    """A command line as Microsoft's C runtime splits it."""
    made: list[str] = []
    current: str | None = None
    quoted, slashes = False, 0
    for character in [*line, " "]:
        if character == "\\":
            slashes += 1
            continue
        halved = slashes // 2 if character == '"' else slashes
        if slashes or character != " " or quoted:
            current = (current or "") + "\\" * halved
        if character == '"' and slashes % 2:
            current = (current or "") + '"'
        elif character == '"':
            quoted = not quoted
        elif character == " " and not quoted:
            if current is not None:
                made.append(current)
            current = None
        else:
            current = (current or "") + character
        slashes = 0
    assert not quoted, line
    return made


def powershell_line(code: str, temporary: Path, folder: Path) -> None:
    """The two one-liners: put pictures into the body, or take them from the answer."""
    (name,) = set(re.findall(r"Join-Path \$env:TEMP '([^']+)'", code))
    file = temporary / name
    if words := re.findall(r"\.Replace\('(\w+)'", code):
        body = file.read_text(encoding="utf-8")
        for word, picture in zip(
            words, re.findall(r"Join-Path \$PWD '([^']+)'", code), strict=True
        ):
            body = body.replace(word, base64.b64encode((folder / picture).read_bytes()).decode())
        file.write_text(body, encoding="utf-8")
        return
    key = re.findall(r"ConvertFrom-Json\)\.(\w+)\)", code)[0]
    start, end = re.findall(r"\('([^']+)' \+ \$n \+ '([^']+)'\)", code)[0]
    save(json.loads(file.read_bytes()), key, folder, start, end)


def save(answer: Any, key: str, folder: Path, start: str, end: str) -> None:
    images = [answer[key]] if key == "image" else answer[key]
    for number, image in enumerate(images, 1):
        (folder / f"{start}{number}{end}").write_bytes(base64.b64decode(image))


# ---- PowerShell


def in_powershell(file: Path, env: Mapping[str, str]) -> None:
    script = file.read_bytes().decode("ascii")
    body, rest = here_string(script, file.parent)
    assert set(re.findall(r"\$env:(\w+)", rest)) == {"WEBUI_URL", "WEBUI_AUTH"}
    (path,) = re.findall(r'-Uri "\$server(/[^"$`]+)"', rest)
    sent = post(env["WEBUI_URL"] + path, body, env.get("WEBUI_AUTH"))
    (start, end), (key,) = (
        re.findall(r'Join-Path \$PWD "([^"$]+)\$number(\.\w+)"', rest)[0],
        re.findall(r"\$answer\.(\w+)[) ]", rest),
    )
    save(sent, key, file.parent, start, end)


def here_string(script: str, folder: Path) -> tuple[str, str]:
    """A script's one here-string, as PowerShell evaluates it, and the script without it."""
    lines = script.split("\n")
    begin = next(n for n, line in enumerate(lines) if re.search(r"@['\"]$", line))
    quote = lines[begin][-1]
    end = next(n for n in range(begin + 1, len(lines)) if lines[n].startswith(f"{quote}@"))
    text, rest = "\n".join(lines[begin + 1 : end]), "\n".join(lines[:begin] + lines[end + 1 :])
    if quote == "'":
        return text, rest
    assert "function Get-Base64" in rest

    def value(found: re.Match[str]) -> str:
        return base64.b64encode((folder / found[1]).read_bytes()).decode()

    text = re.sub(r"\$\(Get-Base64 '([^']+)'\)", value, text)
    assert not re.search(r"[`$]", text), "PowerShell expands this"
    return text, rest


def post(url: str, body: str | bytes, auth: str | None = None) -> Any:
    data = body.encode() if isinstance(body, str) else body
    headers = {"Content-Type": "application/json"}
    login = HTTPBasicAuth(*auth.split(":", 1)) if auth else None
    return requests.post(url, data=data, headers=headers, auth=login, timeout=30).json()


# ---- files of other tools


def in_har_viewer(file: Path, env: Mapping[str, str]) -> None:
    """Check HAR 1.2's required fields, and send the request that it holds."""
    log = json.loads(file.read_bytes())["log"]
    assert log["version"] == "1.2"
    assert {"name", "version"} <= log["creator"].keys()
    (entry,) = log["entries"]
    for kind, needed in HAR.items():
        inner = entry if kind == "entry" else entry[kind]
        assert set(needed.split()) <= inner.keys(), kind
    request = entry["request"]
    assert request["postData"].keys() >= {"mimeType", "text"}
    assert request["bodySize"] == len(request["postData"]["text"].encode())
    path = request["url"].removeprefix("http://127.0.0.1:7860")
    headers = {h["name"]: h["value"] for h in request["headers"]}
    assert headers == {"Content-Type": "application/json"}
    answer = post(env["WEBUI_URL"] + path, request["postData"]["text"], env.get("WEBUI_AUTH"))
    save(answer, "images", file.parent, entry["comment"] + "-", ".png")


HAR = {
    "entry": "startedDateTime time request response cache timings",
    "request": "method url httpVersion cookies headers queryString headersSize bodySize",
    "response": "status statusText httpVersion cookies headers content redirectURL headersSize "
    "bodySize",
    "timings": "send wait receive",
}


def in_postman(file: Path, env: Mapping[str, str]) -> None:
    """Send a collection's request as Postman does: its variables replaced wherever they stand."""
    collection = json.loads(file.read_bytes())
    assert collection["info"]["schema"].endswith("/v2.1.0/collection.json")
    user, _, password = env.get("WEBUI_AUTH", ":").partition(":")
    variables = {v["key"]: v["value"] for v in collection["variable"]}
    assert variables == {"server": "http://127.0.0.1:7860", "user": "", "password": ""}
    variables |= {"server": env["WEBUI_URL"], "user": user, "password": password}
    (item,) = collection["item"]
    request = item["request"]

    def filled(text: str) -> str:
        return re.sub(r"{{([^{}]*)}}", lambda m: variables.get(m[1], m[0]), text)

    assert request["url"]["raw"] == "/".join(request["url"]["host"] + request["url"]["path"])
    assert request["method"] == "POST"
    login = {one["key"]: filled(one["value"]) for one in request["auth"]["basic"]}
    auth = f"{login['username']}:{login['password']}"
    answer = post(filled(request["url"]["raw"]), filled(request["body"]["raw"]), auth)
    save(answer, "images", file.parent, item["name"] + "-", ".png")


RUNNERS: dict[str, Callable[[Path, Mapping[str, str]], None]] = {
    "curl": in_bash,
    "curl-cmd": in_cmd,
    "powershell": in_powershell,
    "httpie": in_bash,
    "requests": in_python,
    "python": in_python,
    "node": in_node,
    "har": in_har_viewer,
    "postman": in_postman,
    "pytest": in_pytest,
}
"""How each program is run; a browser's has a test of its own."""


def files_in(folder: Path) -> Iterator[str]:
    return (path.name for path in folder.iterdir())
