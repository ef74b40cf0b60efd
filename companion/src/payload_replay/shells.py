"""A capture as a command of a shell: curl for bash and for cmd, HTTPie, PowerShell.

How each keeps the payload exact:

* bash: a here-document whose end is quoted, so that nothing in it means anything to the shell. With
  pictures as files it is an unquoted one, in which ``$``, backtick and backslash are written as
  JSON's own ``\\uXXXX``.
* cmd: everything that cmd or the C runtime could read otherwise is written as ``\\uXXXX``, so that
  only the quotes of JSON are left to escape. A line of cmd has at most 8191 characters; a longer
  one becomes a base64 block in the same file, which Windows' own certutil takes out.
* PowerShell: a here-string in single quotes, in ASCII, since Windows PowerShell reads a script
  without a byte order mark in the system's code page.
"""

from __future__ import annotations

import base64

from .posting import AUTH, URL, Posting

CMD_LINE = 8191
"""Characters in one line of cmd.exe, by Microsoft's "Command prompt line string limitation"."""
BLOCK = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
"""The lines between which certutil -decode reads base64, wherever they are in a file."""

_CMD_SPECIAL = '\\"%^&|<>()!'


def curl(posting: Posting) -> str:
    """For bash; Python takes the answer apart."""
    send = (
        f'curl --silent --show-error ${{{AUTH}:+--user "${AUTH}"}} \\\n'
        "  --header 'Content-Type: application/json' --data-binary @- \\\n"
        f'  "${{{URL}:-{posting.server}}}{posting.endpoint}"'
    )
    return _posix(posting, "curl", send)


def httpie(posting: Posting) -> str:
    """HTTPie's ``http``, in bash."""
    send = (
        f'http --body ${{{AUTH}:+--auth "${AUTH}"}} \\\n'
        f'  POST "${{{URL}:-{posting.server}}}{posting.endpoint}" \\\n'
        "  Content-Type:application/json"
    )
    return _posix(posting, "http", send)


def curl_cmd(posting: Posting) -> str:
    """A batch file for cmd.exe, CRLF at each line's end; PowerShell takes the answer apart."""
    inline = "" if posting.words else _cmd_inline(posting)
    body = f"%TEMP%\\{posting.name}-body.json"
    lines = ["@echo off", "setlocal", f'if not defined {URL} set "{URL}={posting.server}"']
    lines += ['set "AUTH="', f'if defined {AUTH} set AUTH=--user "%{AUTH}%"']
    lines += [] if inline else [f'certutil -f -decode "%~f0" "{body}" >nul']
    if posting.words:
        lines += ['cd /d "%~dp0"', _in_powershell(_cmd_filled(posting))]
    lines.append(
        'curl --silent --show-error %AUTH% --header "Content-Type: application/json" '
        f"--data-binary {inline or _quoted('@' + body)} "
        f'--output "%TEMP%\\{posting.name}-answer.json" "%{URL}%{posting.endpoint}"'
    )
    lines.append(_in_powershell(_cmd_saved(posting)))
    lines += [] if inline else ["exit /b", *_block(posting)]
    return "\r\n".join(lines) + "\r\n"


def powershell(posting: Posting) -> str:
    """For Windows PowerShell 5.1 and PowerShell 7."""
    start, end = ('@"', '"@') if posting.words else ("@'", "'@")
    body = posting.json("`$" if posting.words else "", ascii=True)
    body = posting.filled(body, lambda name: f"$(Get-Base64 '{name}')")
    images = f"@($answer.{posting.key})" if posting.key == "image" else f"$answer.{posting.key}"
    return (
        f"$server = if ($env:{URL}) {{ $env:{URL} }} else {{ '{posting.server}' }}\n"
        "$headers = @{}\n"
        f"if ($env:{AUTH}) {{\n"
        f"  $bytes = [Text.Encoding]::UTF8.GetBytes($env:{AUTH})\n"
        "  $headers.Authorization = 'Basic ' + [Convert]::ToBase64String($bytes)\n"
        "}\n"
        f"{_GET_BASE64 if posting.words else ''}"
        f"$body = {start}\n{body}\n{end}\n"
        f'$answer = Invoke-RestMethod -Method Post -Uri "$server{posting.endpoint}" '
        "-Headers $headers -ContentType 'application/json' -Body $body\n"
        "$number = 0\n"
        f"foreach ($image in {images}) {{\n"
        "  $number++\n"
        f'  $file = Join-Path $PWD "{posting.name}-$number.{posting.suffix}"\n'
        "  [IO.File]::WriteAllBytes($file, [Convert]::FromBase64String($image))\n"
        "}\n"
    )


_GET_BASE64 = (
    "function Get-Base64($name) {\n"
    "  [Convert]::ToBase64String([IO.File]::ReadAllBytes((Join-Path $PSScriptRoot $name)))\n"
    "}\n"
)


def _posix(posting: Posting, program: str, send: str) -> str:
    body, end = posting.json(), "'JSON'"
    if posting.words:
        body = posting.json("$`\\")
        body = posting.filled(body, lambda name: f"$(base64 < '{name}' | tr -d '\\n')")
        end = "JSON"
    images = "[answer['image']]" if posting.key == "image" else "answer['images']"
    found = f"{images} if '{posting.key}' in answer else sys.exit(str(answer))"
    return (
        "#!/usr/bin/env bash\n"
        f"{send} <<{end} |\n{body}\nJSON\n"
        'python3 -c "\n'
        "import base64, json, sys\n"
        "answer = json.load(sys.stdin)\n"
        f"for number, image in enumerate({found}, 1):\n"
        f"    with open(f'{posting.name}-{{number}}.{posting.suffix}', 'wb') as file:\n"
        "        file.write(base64.b64decode(image))\n"
        '"\n'
    )


def _quoted(text: str) -> str:
    return f'"{text}"'


def _cmd_inline(posting: Posting) -> str:
    """The body as an argument, or nothing where the line would be too long."""
    text = posting.json(_CMD_SPECIAL, ascii=True, indent=None).replace('"', '\\"')
    room = CMD_LINE - 2048  # the rest of the line: the address, user and password, %TEMP%
    return _quoted(text) if len(text) < room else ""


def _block(posting: Posting) -> list[str]:
    data = base64.b64encode(posting.json(ascii=True).encode()).decode()
    return [BLOCK[0], *(data[at : at + 64] for at in range(0, len(data), 64)), BLOCK[1]]


def _cmd_filled(posting: Posting) -> str:
    """PowerShell that puts the pictures into the body."""
    code = f"$file = Join-Path $env:TEMP '{posting.name}-body.json'; "
    code += "$body = [IO.File]::ReadAllText($file); "
    for word, name in posting.words.items():
        code += f"$data = [IO.File]::ReadAllBytes((Join-Path $PWD '{name}')); "
        code += f"$body = $body.Replace('{word}', [Convert]::ToBase64String($data)); "
    return code + "[IO.File]::WriteAllText($file, $body)"


def _cmd_saved(posting: Posting) -> str:
    return (
        f"$text = [IO.File]::ReadAllText((Join-Path $env:TEMP '{posting.name}-answer.json')); "
        f"$images = @(($text | ConvertFrom-Json).{posting.key}); "
        "if (-not $images[0]) { throw $text }; "
        "$n = 0; foreach ($image in $images) { $n++; "
        f"$file = Join-Path $PWD ('{posting.name}-' + $n + '.{posting.suffix}'); "
        "[IO.File]::WriteAllBytes($file, [Convert]::FromBase64String($image)) }"
    )


def _in_powershell(code: str) -> str:
    return f'powershell -NoProfile -Command "{code}"'
