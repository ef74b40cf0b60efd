"""What came of a replay, picture by picture."""

from __future__ import annotations

from payload_capture.capture import Capture, Result
from payload_capture.outcomes import Outcome, Outcomes, Pair, outcome
from payload_capture.shared.images import Picture, hashed, opened
from payload_capture.shared.replay import Replay
from payload_capture.shared.verify import read_answer, verify

from .pictures import png


def picture(colour: str, size: int = 8) -> Picture:
    data = png(colour, size)
    image = opened(data)
    return Picture(data, image, hashed(image))


def expected(colour: str, seed: int | None, role: str = "sample", size: int = 8) -> Result:
    sha256 = hashed(opened(png(colour, size)))
    return Result(sha256, size, size, role, seed=seed)  # type: ignore[arg-type]


def made(results: list[Result], pictures: list[Picture], seeds: list[int]) -> Replay:
    """As the companion makes it of pictures that came with these seeds."""
    info = {"all_seeds": seeds, "index_of_first_image": 0}
    stored = {r.sha256: p for r in results for p in pictures if r.sha256 == p.sha256}
    found = verify(
        results, read_answer(pictures, info), lambda r: stored.get(r.sha256, picture("white")).image
    )
    capture = Capture(1, "c", "/sdapi/v1/txt2img", {}, results=results)
    return Replay(
        found.verdict, "", capture, found.images, found.others, pictures=pictures, info=info
    )


def test_each_picture_stands_beside_the_one_that_came_for_it() -> None:
    results = [expected("red", 1), expected("blue", 2)]
    pictures = [picture("blue"), picture("red")]
    told = outcome(made(results, pictures, [2, 1]))
    assert told.pairs == [Pair(0, 1, "identical"), Pair(1, 0, "identical")]
    assert told.pictures == [("image/png", one.data) for one in pictures]


def test_how_far_off_a_picture_is() -> None:
    told = outcome(made([expected("red", 1)], [picture("green")], [1]))
    (pair,) = told.pairs
    assert (pair.expected, pair.actual, pair.verdict) == (0, 0, "different")
    assert "dB, SSIM" in pair.measure


def test_where_no_picture_came_the_seeds_say_why() -> None:
    results = [expected("red", 1), expected("blue", 2)]
    told = outcome(made(results, [picture("red"), picture("green")], [1, 7]))
    assert told.pairs[1].why == "the seed is 7 instead of 2"
    told = outcome(made(results, [picture(c) for c in ("red", "green", "pink")], [1, 7, 8]))
    assert told.pairs[1] == Pair(
        1, None, "different", why="no picture with the seed 2 came, but with 7, 8"
    )
    assert told.pairs[2:] == [
        Pair(None, number, None, why="nobody expected this picture") for number in (1, 2)
    ]


def test_where_nothing_came_instead() -> None:
    results = [expected("red", 1), expected("blue", 2), expected("teal", 1, "grid", 16)]
    told = outcome(made(results, [picture("red")], [1]))
    assert [pair.why for pair in told.pairs] == [
        "",
        "fewer pictures came than the capture holds",
        "no grid came: the API may leave it out, and it decides nothing",
    ]


def test_another_size_is_told() -> None:
    told = outcome(made([expected("red", 1)], [picture("red", 16)], [1]))
    assert told.pairs[0].why == "the size is 16×16 instead of 8×8"


def test_what_nobody_verified_has_its_pictures() -> None:
    capture = Capture(1, "c", "/sdapi/v1/txt2img", {})
    told = outcome(Replay("unverified", "", capture, pictures=[picture("red")]))
    assert told.pairs == [Pair(None, 0, None, why="nobody expected this picture")]


def test_settings_that_were_put_back_are_a_note() -> None:
    capture = Capture(1, "c", "/sdapi/v1/txt2img", {})
    told = outcome(Replay("unverified", "", capture, restored={"sd_vae": "None"}))
    assert told.notes == ["Settings that the generation had changed were put back: sd_vae."]


def test_only_the_last_ones_are_kept() -> None:
    outcomes = Outcomes(kept=2, limit=10)
    for job in "abc":
        outcomes.keep(job, Outcome(pictures=[("image/png", b"1234")]))
    assert [outcomes.get(job) is None for job in "abc"] == [True, False, False]
    outcomes.keep("d", Outcome(pictures=[("image/png", b"12345678")]))
    assert [outcomes.get(job) is None for job in "bcd"] == [True, True, False]
    outcomes.keep("e", Outcome(pictures=[("image/png", b"1" * 11)]))
    assert outcomes.get("e") is None
