"""The same sampling on either side of v1.9, by the lists of real servers."""

from __future__ import annotations

import pytest

from payload_replay.samplers import AUTOMATIC_MEANS, Offered, Sampling, suited, unscheduled

pytestmark = pytest.mark.once

# What /sdapi/v1/samplers and /sdapi/v1/schedulers of the versions list, as far as it matters here.
AUTO = "Automatic"
V18 = Offered(
    {
        "DPM++ 2M Karras": "karras",
        "DPM++ 2M SDE Exponential": "exponential",
        "DPM++ 2M": None,
        "DPM++ 2M SDE": None,
        "DPM2 a Karras": "karras",
        "Euler": None,
        "Euler a": None,
        "DDIM": None,
        "Restart": "karras",
    }
)
SCHEDULERS = {
    name: label
    for label in ("Automatic", "Uniform", "Karras", "Exponential", "SGM Uniform")
    for name in (label, label.lower().replace(" ", "_"))
}
NAMES = dict.fromkeys(["DPM++ 2M", "DPM++ 2M SDE", "DPM2 a", "Euler", "Euler a", "DDIM", "Restart"])
V19 = Offered(NAMES, SCHEDULERS)
V110 = Offered(NAMES, SCHEDULERS | {"align_your_steps": "Align Your Steps"})


@pytest.mark.parametrize(
    ("version", "older"),
    [
        ("v1.6.0", True),
        ("v1.8.0-RC-15-gabc", True),
        ("v1.9.4", False),
        ("v1.10.1", False),
        ("f2.0.1v1.10.1-previous-669-gdfdcbab6", False),
        ("", None),
        ("2024-11-02", None),
        ("v1.99999999999999", None),
    ],
)
def test_versions(version: str, older: bool | None) -> None:
    assert unscheduled(version) is older


@pytest.mark.parametrize(
    ("made", "here"),
    [
        (Sampling("DPM++ 2M Karras"), Sampling("DPM++ 2M", "Karras")),
        (Sampling("DPM++ 2M SDE Exponential"), Sampling("DPM++ 2M SDE", "Exponential")),
        (Sampling("DPM2 a Karras"), Sampling("DPM2 a", "Karras")),
        (Sampling("DPM++ 2M"), Sampling("DPM++ 2M", "Uniform")),
        (Sampling("Euler"), Sampling("Euler")),
        (Sampling("Restart"), Sampling("Restart")),
        (Sampling("DDIM", None, "karras"), Sampling("DDIM")),
        (Sampling("Euler", None, "karras"), Sampling("Euler", "Karras")),
        (Sampling("DPM++ 2M Karras", None, "exponential"), Sampling("DPM++ 2M", "Exponential")),
        (Sampling("Euler", None, "polyexponential"), None),
        (Sampling("Euler", "Karras"), Sampling("Euler")),
        (Sampling("Heun Karras"), None),
    ],
)
def test_from_v18_to_v19(made: Sampling, here: Sampling | None) -> None:
    assert suited(made, True, V19) == here


@pytest.mark.parametrize(
    ("made", "here"),
    [
        (Sampling("DPM++ 2M", "Karras"), Sampling("DPM++ 2M Karras", None, AUTO)),
        (Sampling("DPM++ 2M", "Automatic"), Sampling("DPM++ 2M Karras", None, AUTO)),
        (Sampling("DPM++ 2M"), Sampling("DPM++ 2M Karras", None, AUTO)),
        (Sampling("DPM++ 2M", "Uniform"), Sampling("DPM++ 2M", None, AUTO)),
        (Sampling("DPM++ 2M", "Exponential"), Sampling("DPM++ 2M", None, "exponential")),
        (Sampling("DPM++ 2M SDE", "Automatic"), Sampling("DPM++ 2M SDE Exponential", None, AUTO)),
        (Sampling("Euler", "Automatic"), Sampling("Euler", None, AUTO)),
        (Sampling("Euler", "karras"), Sampling("Euler", None, "karras")),
        (Sampling("Euler a", "SGM Uniform"), None),
        (Sampling("DDIM", "Karras"), Sampling("DDIM")),
        (Sampling("Restart", "Automatic"), Sampling("Restart", None, AUTO)),
        (Sampling("Restart", "Karras"), Sampling("Restart", None, AUTO)),
        (Sampling("Restart", "Uniform"), None),
        (Sampling("Heun", "Karras"), None),
    ],
)
def test_from_v110_to_v18(made: Sampling, here: Sampling | None) -> None:
    assert suited(made, False, V18) == here


@pytest.mark.parametrize("name", [name for name in NAMES if f"{name} Karras" in V18.samplers])
def test_there_and_back_is_the_same(name: str) -> None:
    there = suited(Sampling(name, "Karras"), False, V18)
    assert there is not None
    assert suited(there, True, V110) == Sampling(name, "Karras")


def test_what_an_unknown_origin_leaves_open_stays_open() -> None:
    plain = Sampling("DPM++ 2M")
    assert suited(plain, None, V18) == suited(plain, None, V110) == plain
    assert suited(Sampling("DPM++ 2M", "Karras"), None, V18) == Sampling(
        "DPM++ 2M Karras", None, AUTO
    )


def test_v110_takes_the_field_before_the_name() -> None:
    both = Sampling("Euler Karras", "Exponential")
    assert suited(both, False, V110) == Sampling("Euler", "Exponential")
    assert (V18.splits, V19.splits, V110.splits) == (False, False, True)


def test_automatic_is_told_for_samplers_that_have_a_schedule() -> None:
    assert set(AUTOMATIC_MEANS.values()) == {"karras", "exponential"}
