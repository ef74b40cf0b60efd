"""Pictures of script arguments in a form that a PNG file holds and the webui's API decodes.

A script that takes a picture through the API gets the base64 of a file and opens it with Pillow;
what it then sees must have the colours and the alpha that it saw on the page. So everything but
pixels and transparency is left behind: A1111 v1.9 on turns a picture by its EXIF orientation
(``modules/images.py``, ``read``).

Arrays are known by what they offer: nothing here imports numpy.
"""

from __future__ import annotations

import collections
import hashlib
import io
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from payload_capture.capture import Asset

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 256 << 20
"""Bytes of raw pixels that one capture copies: about a tenth of a second."""
MAX_UPLOAD = 64 << 20
"""Bytes of raw pixels of one uploaded file, which must be decoded as well."""
MAX_SPARE = 32 << 20
"""Bytes of memory that are kept to copy into."""
BLUR = 1 / 16
"""The radius by which a blurred picture is blurred, as a part of its longer side."""
SMALLEST = 16
"""Rows and columns from which an array of bools or floats is a picture, not a table."""

_PREFIXES = {
    "iVBORw0KGgo": "image/png",
    "/9j/": "image/jpeg",
    "UklGR": "image/webp",
    "R0lGOD": "image/gif",
}
_DATA_URI = re.compile(r"data:image/[a-z.+-]+;base64,")
_WITH_ALPHA = {"PA": "RGBA", "RGBa": "RGBA", "La": "LA"}
_SIXTEEN = ("I;16B", "I;16L", "I;16N")


class Spares:
    """Memory of earlier captures' pictures, to copy the next ones into.

    Memory that is new to the process costs a page fault for each 4 KiB, which may take longer than
    the copying (``tests/benchmarks/bench_capture.py``). Thread-safe.
    """

    def __init__(self, limit: int = MAX_SPARE) -> None:
        self._limit = limit
        self._kept: collections.deque[tuple[object, int, Any]] = collections.deque()
        self._lock = threading.Lock()

    def take(self, key: object) -> Any:
        """Something that was kept under an equal key, None where nothing is."""
        with self._lock:
            for one in self._kept:
                if one[0] == key:
                    self._kept.remove(one)
                    return one[2]
        return None

    def keep(self, key: object, size: int, spare: Any) -> None:
        """Keep `spare`, which nobody uses any more, of `size` bytes; the oldest make room."""
        with self._lock:
            self._kept.append((key, size, spare))
            while sum(size for _, size, _ in self._kept) > self._limit:
                self._kept.popleft()


_spares = Spares()
_COPIED_INTO = ("L", "RGB", "RGBA")
"""Modes whose pixels are all that `Image.paste` has to copy."""


@dataclass(frozen=True)
class Pixels:
    """Raw pixels, row by row, which become a picture when somebody looks at them.

    Copying an array's bytes takes half as long as making a picture of it.
    """

    mode: str
    size: tuple[int, int]
    data: bytes | bytearray

    def image(self) -> Image:
        from PIL import Image

        return Image.frombytes(self.mode, self.size, self.data)


class Picture:
    """A picture in a payload that waits to be stored. Holds a copy of the pixels."""

    def __init__(self, image: Image | Pixels) -> None:
        self._image = image
        self._is_copy = not isinstance(image, Pixels)

    @property
    def image(self) -> Image:
        if isinstance(self._image, Pixels):
            data, self._image = self._image.data, self._image.image()
            if isinstance(data, bytearray):
                _spares.keep(len(data), len(data), data)
        return self._image

    def release(self) -> None:
        """Let the next capture copy into this memory: nobody looks at the picture any more."""
        image = self.__dict__.pop("_image")
        if self._is_copy and image.mode in _COPIED_INTO:
            _spares.keep((image.mode, image.size), raw_size(image), image)


class NotPortableError(ValueError):
    """No PNG file holds this picture; the message says why."""


def raw_size(image: Image | Pixels) -> int:
    """Bytes of raw pixels, at least."""
    if isinstance(image, Pixels):
        return len(image.data)
    return int(image.width * image.height * len(image.getbands()))


def of_image(image: Image) -> tuple[Image, str]:
    """A copy for a PNG file, and what it changes: "" where it changes nothing.

    Raises:
        NotPortableError: the mode has no counterpart.
    """
    copy = _copied(image)
    copy.info = {k: v for k, v in image.info.items() if k == "transparency"}
    if image.mode in _WITH_ALPHA:
        return copy.convert(_WITH_ALPHA[image.mode]), ""
    if image.mode in ("I", "F", *_SIXTEEN):
        return _of_numbers(copy)
    if image.mode == "LAB":
        raise NotPortableError("a picture in L*a*b* colours has no form that the API takes")
    return copy, ""


def _copied(image: Image) -> Image:
    from PIL import Image

    image.load()
    key = (image.mode, image.size)
    spare: Image.Image | None = _spares.take(key) if image.mode in _COPIED_INTO else None
    if spare is None:
        return Image.Image.copy(image)
    spare.paste(image)
    return spare


def _of_numbers(image: Any) -> tuple[Image, str]:
    whole = image.convert("I") if image.mode in _SIXTEEN else image
    low, high = whole.getextrema()
    if whole.mode == "I":
        if low < 0 or high > 65535:
            raise NotPortableError(f"pixels from {low} to {high} do not fit in 16 bits")
        return whole, ""
    if not 0 <= low <= high <= 255:
        raise NotPortableError(f"float pixels from {low} to {high} are neither 0..1 nor 0..255")
    scale = 255.0 if high <= 1 else 1.0
    return whole.point(lambda x: x * scale + 0.5).convert("L"), "float pixels were sent as 8 bits"


def of_array(array: Any) -> tuple[Image | Pixels, str] | None:
    """An array as a picture with what that changes, or None where it is none.

    Of the shape (height, width) or (height, width, 1, 3 or 4); bytes always, other numbers from
    `SMALLEST` rows and columns on.
    """
    if not is_shaped(array.shape):
        return None
    kind = array.dtype.name
    if kind == "uint8":
        return _image(array), ""
    if min(array.shape[:2]) < SMALLEST:
        return None
    if kind == "bool":
        return _image(array.astype("uint8") * 255), "bools were sent as a picture of 0 and 255"
    if kind == "uint16":
        return _of_shorts(array)
    if kind.startswith("float") and array.min() >= 0 and array.max() <= 1:
        levels = (array * 255 + 0.5).astype("uint8")
        return _image(levels), f"{kind} of 0..1 was sent as a picture of 8 bits"
    return None


def is_shaped(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape may be a picture: rows, columns, and 1, 3 or 4 channels."""
    channels = shape[2] if len(shape) == 3 else 1
    return len(shape) in (2, 3) and channels in (1, 3, 4) and 0 not in shape


def _of_shorts(array: Any) -> tuple[Image | Pixels, str]:
    if array.ndim == 3 and array.shape[2] > 1:
        return _image((array >> 8).astype("uint8")), "16 bits per channel were sent as 8"
    return _image(array.astype("<u2")), ""


_CHANNELS = {1: "L", 3: "RGB", 4: "RGBA"}


def _image(array: Any) -> Image | Pixels:
    from PIL import Image

    channels = array.shape[2] if array.ndim == 3 else 1
    if array.dtype.name == "uint8":
        size = (array.shape[1], array.shape[0])
        return Pixels(_CHANNELS[channels], size, _bytes_of(array))
    image = Image.fromarray(array[:, :, 0] if array.ndim == 3 else array)
    return image.copy() if image.readonly else image  # it may share the array's memory


def _bytes_of(array: Any) -> bytes | bytearray:
    if not array.flags.c_contiguous:
        return bytes(array.tobytes())
    raw = memoryview(array).cast("B")
    spare: bytearray | None = _spares.take(raw.nbytes)
    if spare is None:
        return bytearray(raw)
    spare[:] = raw
    return spare


def of_file(name: str) -> Image:
    """A picture's file, decoded. Raises OSError, also for a file that is no picture."""
    from PIL import Image

    with Image.open(name) as image:
        if raw_size(image) > MAX_UPLOAD:
            raise OSError(f"a picture of {image.width} x {image.height} pixels is too large")
        return of_image(image)[0]


def encoded_type(text: str) -> str | None:
    """The media type of the picture that a text holds as base64, as API clients put them into
    arguments; None where it holds none.
    """
    if len(text) < 64:
        return None
    if found := _DATA_URI.match(text):
        return found[0][len("data:") : -len(";base64,")]
    return next((kind for prefix, kind in _PREFIXES.items() if text.startswith(prefix)), None)


def blurred(image: Image) -> Image:
    """The picture as shapes without anything to recognise."""
    from PIL import ImageFilter

    plain = image if image.mode in ("RGB", "RGBA") else image.convert("RGBA")
    return plain.filter(ImageFilter.GaussianBlur(max(image.size) * BLUR))


def embedded(text: str) -> tuple[str, Asset, bytes] | None:
    """The picture that a text holds as base64: the hash of its bytes, what they say, and the bytes.

    None where there is none, or where base64 of the bytes would not be the very same text.
    """
    from payload_capture.shared import posting

    found = posting.picture(text) if encoded_type(text) else None
    asset = pictured(found[1]) if found and not found[0] else None
    if found is None or asset is None:
        return None
    return hashlib.sha256(found[1]).hexdigest(), asset, found[1]


def pictured(data: bytes) -> Asset | None:
    """What a file's bytes say of the picture that it holds; None where it holds none.

    Its header alone is read: no pixel is decoded.
    """
    from PIL import Image

    from payload_capture.shared import images

    try:
        suffix = images.suffix(data)
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None
    kind = "jpeg" if suffix == "jpg" else suffix
    return Asset(f"image/{kind}", len(data), width, height)
