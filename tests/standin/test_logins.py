"""Passwords: `--api-auth` covers the API's own routes, `--gradio-auth` the page, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from webui_standin import Process

USER, OTHER = ("user", "secret"), ("user", "wrong")


@pytest.fixture(scope="module")
def guarded(probe: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    users = tmp_path_factory.mktemp("auth") / "users"
    users.write_text("second:two, third:three\n")
    flags = ["--api-auth", "user:secret,more:words", "--gradio-auth", "page:door"]
    with Process(extensions=[probe], flags=[*flags, "--gradio-auth-path", str(users)]) as host:
        yield host.url
        assert host.errors() == []


def status(url: str, auth: tuple[str, str] | None = None) -> int:
    return requests.get(url, auth=auth, timeout=30).status_code


@pytest.mark.parametrize("path", ["samplers", "options", "cmd-flags"])
def test_api_auth_covers_the_api(guarded: str, path: str) -> None:
    url = f"{guarded}/sdapi/v1/{path}"
    assert [status(url), status(url, OTHER), status(url, USER)] == [401, 401, 200]
    refused = requests.get(url, auth=OTHER, timeout=30)
    assert refused.json()["detail"] == "Incorrect username or password"


@pytest.mark.parametrize("path", ["/probe/facts", "/internal/ping", "/sdapi/v1/loras"])
def test_routes_of_extensions_are_open(guarded: str, path: str) -> None:
    assert status(guarded + path) == 200


@pytest.mark.parametrize("name", ["page:door", "second:two", "third:three"])
def test_gradio_auth_covers_the_page(guarded: str, name: str) -> None:
    config = f"{guarded}/config"
    assert status(config) == 401
    session = requests.Session()
    user, password = name.split(":")
    login = {"username": user, "password": password}
    assert session.post(f"{guarded}/login", data=login, timeout=30).status_code == 200
    assert session.get(config, timeout=30).status_code == 200
    wrong = {"username": user, "password": "no"}
    assert requests.post(f"{guarded}/login", data=wrong, timeout=30).status_code == 400


@pytest.fixture(scope="module")
def alone(probe: Path) -> Iterator[str]:
    flags = [
        "--nowebui",
        "--cors-allow-origins",
        "http://friend.example",
        "--api-auth",
        "user:secret",
    ]
    with Process(extensions=[probe], flags=flags) as host:
        yield host.url
        assert host.errors() == []


def test_nowebui_has_the_api_and_no_page(alone: str) -> None:
    assert status(alone + "/") == 404
    assert status(alone + "/sdapi/v1/samplers", USER) == 200
    facts = requests.get(alone + "/probe/facts", timeout=30).json()
    assert facts["demo"] is False, "app_started gets None for the page"


def test_cors_is_what_the_command_line_says(alone: str, guarded: str) -> None:
    for url, allowed in ((alone, "http://friend.example"), (guarded, None)):
        headers = {"Origin": "http://friend.example"}
        answer = requests.get(url + "/standin/ready", headers=headers, timeout=30)
        assert answer.headers.get("access-control-allow-origin") == allowed
