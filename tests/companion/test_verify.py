"""Alignment by pixels, seed and infotext, and the measure of a difference."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import pytest
from PIL import Image

from payload_replay.capture import Result
from payload_replay.images import Picture, compressed, hashed
from payload_replay.measures import psnr
from payload_replay.verify import CLOSE, CLOSE_SSIM, Answered, read_answer, verify, worst

pytestmark = pytest.mark.once

SIZE = (16, 16)


def noise(seed: object, size: tuple[int, int] = SIZE) -> Image.Image:
    data = hashlib.shake_128(repr(seed).encode()).digest(size[0] * size[1] * 3)
    return Image.frombytes("RGB", size, data)


def near(image: Image.Image, by: int) -> Image.Image:
    """The same picture with one channel of one pixel off by some levels."""
    image = image.copy()
    red, green, blue = image.getpixel((0, 0))
    image.putpixel((0, 0), (red + by if red < 128 else red - by, green, blue))
    return image


def text(seed: int, **fields: Any) -> str:
    more = "".join(f", {name}: {value}" for name, value in fields.items())
    return f"a cat\nSteps: 2, Sampler: Euler, Seed: {seed}{more}"


def expected(image: Image.Image, seed: int | None, role: Any = "sample", **fields: Any) -> Result:
    words = text(seed, **fields) if seed is not None else ""
    return Result(hashed(image), *image.size, role, seed, infotext=words)


def came(image: Image.Image, seed: int | None = None, **fields: Any) -> Answered:
    words = text(seed, **fields) if seed is not None else ""
    return Answered(Picture(b"", image, hashed(image)), words, seed)


def nothing(result: Result) -> None:
    return None


def test_identical_in_another_order_with_a_grid_before() -> None:
    results = [expected(noise(n), n) for n in range(4)]
    found = verify(results, [came(noise("grid")), *(came(noise(n)) for n in (3, 1, 0, 2))], nothing)
    assert found.verdict == "identical"
    assert [image.actual for image in found.images] == [result.sha256 for result in results]
    assert len(found.extra) == 1


def test_the_same_pixels_twice_need_two_pictures() -> None:
    results = [expected(noise(1), 1), expected(noise(1), 1)]
    assert verify(results, [came(noise(1), 1)] * 2, nothing).verdict == "different"
    both = [came(noise(1), 1), came(noise(1), 1)]
    assert verify(results, both, nothing).verdict == "identical"


def test_differing_pictures_meet_by_their_seed() -> None:
    results = [expected(noise(n), n) for n in range(3)]
    answered = [came(noise(("x", n)), n) for n in (2, 0, 1)]
    found = verify(results, answered, nothing)
    assert [image.answered.seed for image in found.images if image.answered] == [0, 1, 2]


def test_of_one_seed_they_meet_by_their_fields() -> None:
    results = [expected(noise(n), 1, CFG=n) for n in range(3)]
    answered = [came(noise(("x", n)), 1, CFG=float(n)) for n in (2, 0, 1)]
    found = verify(results, answered, nothing)
    assert [image.answered for image in found.images] == [answered[n] for n in (1, 2, 0)]


def test_other_seeds_do_not_meet_unless_one_of_each_is_left() -> None:
    found = verify([expected(noise(1), 1)], [came(noise(2), 2)], nothing)
    assert found.images[0].answered is not None
    found = verify([expected(noise(n), n) for n in (1, 2)], [came(noise(3), 3)], nothing)
    assert [image.actual for image in found.images] == [None, None]


def test_missing_pictures() -> None:
    found = verify([expected(noise(1), 1)], [], nothing)
    assert found.verdict == "different"
    assert (found.images[0].expected, found.images[0].actual) == (hashed(noise(1)), None)


def test_grids_and_maps_are_told_but_do_not_decide() -> None:
    results = [expected(noise(1), 1), expected(noise("grid"), 1, "grid", Grid=1)]
    found = verify(results, [came(noise(1), 1)], nothing)
    assert found.verdict == "identical"
    assert [other.verdict for other in found.others] == ["different"]


def test_grids_decide_where_there_is_nothing_else() -> None:
    results = [expected(noise("grid"), 1, "grid")]
    assert verify(results, [came(noise("grid"), 1)], nothing).verdict == "identical"
    assert verify(results, [came(noise("other"), 1)], nothing).verdict == "different"


def test_a_grid_does_not_take_a_samples_picture() -> None:
    results = [expected(noise("grid", (32, 16)), 1, "grid"), expected(noise(1), 1)]
    found = verify(results, [came(noise("x"), 1)], nothing)
    assert found.images[0].answered is not None
    assert found.others[0].answered is None


def test_close_and_different_are_told_by_the_threshold() -> None:
    image = noise(1)
    for by, verdict in ((1, "close"), (127, "different")):
        answered = [came(near(image, by), 1)]
        found = verify([expected(image, 1)], answered, lambda result: image)
        (comparison,) = found.images
        assert comparison.verdict == found.verdict == verdict
        assert comparison.largest == by
        assert comparison.psnr is not None
        assert (comparison.psnr >= CLOSE) is (verdict == "close")


def test_a_faint_pattern_over_a_plain_picture_is_not_close() -> None:
    """Some levels of noise where there was nothing to see: the ratio alone would let it pass."""
    plain = Image.new("RGB", (64, 64), (100, 100, 100))
    values = [100 + value % 5 - 2 for value in noise("grain", (64, 64)).tobytes()]
    answered = [came(Image.frombytes("RGB", (64, 64), bytes(values)), 1)]
    (comparison,) = verify([expected(plain, 1)], answered, lambda result: plain).images
    assert comparison.psnr is not None
    assert comparison.ssim is not None
    assert comparison.psnr > CLOSE + 4
    assert comparison.ssim > CLOSE_SSIM
    harsh = [100 + (value % 2) * 4 - 2 for value in noise("grain", (64, 64)).tobytes()]
    answered = [came(Image.frombytes("RGB", (64, 64), bytes(harsh)), 1)]
    (comparison,) = verify([expected(plain, 1)], answered, lambda result: plain).images
    assert (comparison.verdict, (comparison.psnr or 0) > CLOSE) == ("different", True)
    assert (comparison.ssim or 1) < CLOSE_SSIM


def test_its_json_holds_measures_where_there_are_any() -> None:
    image = noise(1)
    found = verify([expected(image, 1)], [came(near(image, 3), 1)], lambda result: image)
    told = found.images[0].to_dict()
    assert told.keys() == {"expected", "actual", "verdict", "psnr", "ssim", "largest"}
    assert (told["verdict"], told["largest"]) == ("close", 3)
    assert 0.9 < told["ssim"] < 1
    same = verify([expected(image, 1)], [came(image, 1)], nothing).images[0].to_dict()
    assert same.keys() == {"expected", "actual", "verdict"}


def test_without_a_stored_picture_there_is_no_measure() -> None:
    found = verify([expected(noise(1), 1)], [came(near(noise(1), 1), 1)], nothing)
    assert (found.images[0].verdict, found.images[0].psnr) == ("different", None)


def lossy(image: Image.Image, quality: int) -> Answered:
    made = compressed(image, "JPEG", quality)
    return Answered(Picture(b"", made, hashed(made)), text(1), 1)


def test_what_went_through_the_servers_lossy_format_is_compared_through_it() -> None:
    picture = noise(1)

    def verified(answer: Answered) -> Any:
        results = [expected(picture, 1)]
        return verify(results, [answer], lambda _: picture, lambda i, k: compressed(i, k, 70))

    (same,) = verified(lossy(picture, 70)).images
    assert (same.verdict, same.through) == ("identical", "JPEG")
    (other,) = verified(lossy(noise(2), 70)).images
    assert (other.verdict, other.through) == ("different", None)
    (coarser,) = verified(lossy(picture, 20)).images
    assert coarser.verdict == "different"


def test_pictures_without_seeds_keep_their_order() -> None:
    results = [expected(noise(n), None) for n in range(2)]
    answers = [came(near(noise(n), 1)) for n in range(2)]
    found = verify(results, answers, lambda r: noise(0) if r is results[0] else noise(1))
    assert [image.answered for image in found.images] == answers
    assert found.verdict == "close"


def test_psnr() -> None:
    black, grey = Image.new("RGB", SIZE), Image.new("RGB", SIZE, (1, 1, 1))
    assert psnr(black, black) == (math.inf, 0)
    assert psnr(black, grey) == pytest.approx((48.13, 1), abs=0.01)
    assert psnr(black, Image.new("RGB", (1, 1))) is None
    clear = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    assert psnr(black, clear) == pytest.approx((10 * math.log10(4), 255))


def test_the_worst_picture() -> None:
    image = noise(1)
    results = [expected(image, 1), expected(noise(2), 2), expected(noise(3), 3)]
    answered = [came(near(image, 1), 1), came(near(noise(2), 9), 2), came(noise(3), 3)]
    found = verify(results, answered, lambda result: noise(result.seed))
    assert worst(found.images) is found.images[1]
    assert worst([found.images[2]]) is None


def test_an_answers_infotexts() -> None:
    pictures = [Picture(b"", noise(n), str(n)) for n in range(3)]
    pictures[1].image.info["parameters"] = text(5)
    info = {"infotexts": [text(1), text(2)], "all_seeds": [7, 8], "index_of_first_image": 1}
    assert [one.seed for one in read_answer(pictures, info)] == [1, 5, 8]


@pytest.mark.parametrize(
    "info",
    [{}, {"infotexts": 3, "all_seeds": "x", "index_of_first_image": None}, {"all_seeds": []}],
)
def test_an_answer_that_says_nothing(info: dict[str, Any]) -> None:
    (one,) = read_answer([Picture(b"", noise(1), "x")], info)
    assert (one.infotext, one.seed) == ("", None)
