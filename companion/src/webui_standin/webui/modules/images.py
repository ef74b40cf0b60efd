"""Grids, resizing, reading and saving pictures. Names from A1111 v1.10.1, modules/images.py."""

import datetime
import math
import os
import re
from collections import namedtuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps, PngImagePlugin

from modules import script_callbacks, shared
from modules.shared import opts
from webui_standin.flavour import has_forge_traits

LANCZOS, NEAREST = Image.Resampling.LANCZOS, Image.Resampling.NEAREST
Grid = namedtuple("Grid", ["tiles", "tile_w", "tile_h", "image_w", "image_h", "overlap"])
_UNSAFE = re.compile(r'[#<>:"/\\|?*\n\r\t]')
_USER_COMMENT = 0x9286


def get_font(fontsize):
    """A font that ships with Pillow."""
    try:
        return ImageFont.load_default(fontsize)
    except TypeError:
        return ImageFont.load_default()


def image_grid(imgs, batch_size=1, rows=None):
    """Put pictures side by side; rows as asked, as set, or near to a square."""
    if rows is None:
        rows = int(opts.n_rows) or batch_size
    if rows < 0:
        rows = math.isqrt(len(imgs))
        while opts.grid_prevent_empty_spots and len(imgs) % rows:
            rows -= 1
    rows = max(1, min(rows, len(imgs)))
    columns = math.ceil(len(imgs) / rows)
    params = script_callbacks.ImageGridLoopParams(imgs, columns, rows)
    script_callbacks.image_grid_callback(params)
    width, height = max(i.width for i in imgs), max(i.height for i in imgs)
    grid = Image.new("RGB", (params.cols * width, params.rows * height), "black")
    for index, picture in enumerate(params.imgs):
        grid.paste(picture, (index % params.cols * width, index // params.cols * height))
    return grid


def split_grid(image, tile_w=512, tile_h=512, overlap=64):
    """Cut a picture into overlapping tiles: rows of [y, height, [[x, width, tile], …]]."""
    grid = Grid([], tile_w, tile_h, image.width, image.height, overlap)
    for y in _starts(image.height, tile_h, overlap):
        row = [
            [x, tile_w, image.crop((x, y, x + tile_w, y + tile_h))]
            for x in _starts(image.width, tile_w, overlap)
        ]
        grid.tiles.append([y, tile_h, row])
    return grid


def _starts(length, tile, overlap):
    count = max(1, math.ceil((length - overlap) / (tile - overlap)))
    step = (length - tile) / (count - 1) if count > 1 else 0
    return [max(0, min(int(index * step), length - tile)) for index in range(count)]


def combine_grid(grid):
    """Put tiles together again, fading one into the next where they overlap."""
    whole = Image.new("RGB", (grid.image_w, grid.image_h))
    for y, height, row in grid.tiles:
        band = Image.new("RGB", (grid.image_w, height))
        for x, _width, tile in row:
            band.paste(tile, (x, 0), _fade(tile.size, grid.overlap if x else 0, 0))
        whole.paste(band, (0, y), _fade(band.size, 0, grid.overlap if y else 0))
    return whole


def _fade(size, left, top):
    across = (
        np.minimum(np.arange(size[0]) * 255 // max(left, 1), 255) if left else np.full(size[0], 255)
    )
    down = (
        np.minimum(np.arange(size[1]) * 255 // max(top, 1), 255) if top else np.full(size[1], 255)
    )
    return Image.fromarray(np.minimum(across[None, :], down[:, None]).astype(np.uint8))


class GridAnnotation:
    """One line of a grid's legend."""

    def __init__(self, text="", is_active=True):
        self.text, self.is_active, self.size = text, is_active, None


def draw_grid_annotations(im, width, height, hor_texts, ver_texts, margin=0):
    """Write texts above the columns and beside the rows of a grid, with a margin between cells."""
    top = 24 if any(line.text for lines in hor_texts for line in lines) else 0
    left = width // 2 if any(line.text for lines in ver_texts for line in lines) else 0
    columns, rows = im.width // width, im.height // height
    size = (left + im.width + margin * (columns - 1), top + im.height + margin * (rows - 1))
    page = Image.new("RGB", size, opts.grid_background_color)
    for row in range(rows):
        for column in range(columns):
            cell = im.crop((column * width, row * height, (column + 1) * width, (row + 1) * height))
            page.paste(cell, (left + column * (width + margin), top + row * (height + margin)))
    draw, font = ImageDraw.Draw(page), get_font(12)
    for column, lines in enumerate(hor_texts):
        draw.text((left + column * (width + margin) + 4, 5), _line(lines), fill="black", font=font)
    for row, lines in enumerate(ver_texts):
        draw.text(
            (4, top + row * (height + margin) + height // 2), _line(lines), fill="black", font=font
        )
    return page


def _line(lines):
    return " ".join(str(line.text) for line in lines)


def draw_prompt_matrix(im, width, height, all_prompts, margin=0):
    """Write the parts of a prompt matrix beside its grid."""
    parts = all_prompts[1:]
    middle = math.ceil(len(parts) / 2)

    def titles(part):
        return [
            [GridAnnotation(text, index & (1 << bit) != 0) for bit, text in enumerate(part)]
            for index in range(1 << len(part))
        ]

    return draw_grid_annotations(
        im, width, height, titles(parts[:middle]), titles(parts[middle:]), margin
    )


def resize_image(resize_mode, im, width, height, upscaler_name=None):
    """Resize: 0 stretches, 1 crops, 2 fills the rest with the picture's edge."""
    upscaler_name = upscaler_name or opts.upscaler_for_img2img
    if resize_mode == 0 or im.size == (width, height):
        return _enlarge(im, width, height, upscaler_name)
    wide = width * im.height > height * im.width
    by_width = wide if resize_mode == 1 else not wide
    inner = (
        (width, im.height * width // im.width)
        if by_width
        else (im.width * height // im.height, height)
    )
    inner = max(1, inner[0]), max(1, inner[1])
    resized = _enlarge(im, *inner, upscaler_name)
    place = (width // 2 - inner[0] // 2, height // 2 - inner[1] // 2)
    page = (
        _stretched_edges(resized, width, height, place)
        if resize_mode == 2
        else Image.new(im.mode, (width, height))
    )
    page.paste(resized, place)
    return page


def _stretched_edges(im, width, height, place):
    page = Image.new(im.mode, (width, height))
    x, y = place
    sides = [
        ((0, 0, im.width, 1), (width, y), (0, 0)),
        (
            (0, im.height - 1, im.width, im.height),
            (width, height - y - im.height),
            (0, y + im.height),
        ),
        ((0, 0, 1, im.height), (x, height), (0, 0)),
        ((im.width - 1, 0, im.width, im.height), (width - x - im.width, height), (x + im.width, 0)),
    ]
    for box, size, corner in sides:
        if min(size) > 0:
            page.paste(im.crop(box).resize(size), corner)
    return page


def _enlarge(im, width, height, upscaler_name):
    scale = max(width / im.width, height / im.height)
    if upscaler_name not in (None, "None") and im.mode != "L" and scale > 1:
        chosen = [
            data for data in shared.sd_upscalers if data.name == upscaler_name
        ] or shared.sd_upscalers[:1]
        im = chosen[0].scaler.upscale(im, scale, chosen[0].data_path)
    return im if im.size == (width, height) else im.resize((width, height), LANCZOS)


def sanitize_filename_part(text, replace_spaces=True):
    """A text that can be part of a file name."""
    text = _UNSAFE.sub("_", text.replace(" ", "_") if replace_spaces else text)
    return text.strip()[:128].rstrip(" .")


class FilenameGenerator:
    """Fills patterns such as `[date]`, `[seed]`, `[prompt_spaces]`, `[model_name]`."""

    def __init__(self, p, seed, prompt, image, zip=False, basename=""):
        self.p, self.seed, self.prompt, self.image, self.basename = (
            p,
            seed,
            prompt or "",
            image,
            basename,
        )

    def apply(self, pattern):
        """The pattern with all known names filled in; an unknown one stays."""
        return re.sub(r"\[([a-z_]+)(?:<[^>]*>)?]", self._fill, pattern)

    def _fill(self, match):
        now = datetime.datetime.now()
        words = [word for word in re.split(r"[\s,]+", self.prompt) if word]
        values = {
            "date": now.strftime("%Y-%m-%d"),
            "datetime": now.strftime("%Y%m%d%H%M%S"),
            "job_timestamp": getattr(self.p, "job_timestamp", shared.state.job_timestamp),
            "seed": "" if self.seed is None else str(self.seed),
            "prompt": sanitize_filename_part(self.prompt),
            "prompt_spaces": sanitize_filename_part(self.prompt, replace_spaces=False),
            "prompt_words": sanitize_filename_part(
                " ".join(words[: int(opts.directories_max_prompt_words)]), False
            ),
            "width": str(self.image.width),
            "height": str(self.image.height),
            "steps": str(getattr(self.p, "steps", "")),
            "cfg": str(getattr(self.p, "cfg_scale", "")),
            "sampler": sanitize_filename_part(str(getattr(self.p, "sampler_name", "")), False),
            "model_name": sanitize_filename_part(str(getattr(self.p, "sd_model_name", "")), False),
            "model_hash": str(getattr(self.p, "sd_model_hash", "")),
            "generation_number": str(
                getattr(self.p, "iteration", 0) * getattr(self.p, "batch_size", 1)
                + getattr(self.p, "batch_index", 0)
                + 1
            ),
        }
        return values.get(match.group(1), match.group(0))


def get_next_sequence_number(path, basename):
    """One more than the highest number that a file of this folder starts with."""
    prefix = f"{basename}-" if basename else ""
    numbers = [
        re.match(r"(\d+)", name[len(prefix) :])
        for name in os.listdir(path)
        if name.startswith(prefix)
    ]
    return 1 + max((int(found.group(1)) for found in numbers if found), default=-1)


def save_image_with_geninfo(
    image,
    geninfo,
    filename,
    extension=None,
    existing_pnginfo=None,
    pnginfo_section_name="parameters",
):
    """Write a picture with its infotext: a PNG text chunk, or the EXIF user comment."""
    extension = (extension or os.path.splitext(filename)[1]).lower()
    if extension == ".png":
        texts = dict(existing_pnginfo or {})
        if opts.enable_pnginfo and geninfo:
            texts[pnginfo_section_name] = geninfo
        image.save(
            filename,
            format="PNG",
            pnginfo=png_texts(texts if opts.enable_pnginfo else {}),
            quality=int(opts.jpeg_quality),
        )
        return
    image = image.convert("RGB") if image.mode in ("RGBA", "P") else image
    kind = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}.get(
        extension, extension.lstrip(".").upper()
    )
    image.save(
        filename,
        format=kind,
        quality=int(opts.jpeg_quality),
        exif=exif_comment(geninfo if opts.enable_pnginfo else ""),
    )


def png_texts(texts):
    """PNG text chunks of the text values of a dict."""
    chunks = PngImagePlugin.PngInfo()
    for key, value in texts.items():
        if isinstance(key, str) and isinstance(value, str):
            chunks.add_text(key, value)
    return chunks


def exif_comment(text):
    """EXIF data with a user comment."""
    exif = Image.Exif()
    # Older Pillows forget what is put into `get_ifd` of a directory that isn't there yet.
    exif[0x8769] = {_USER_COMMENT: b"UNICODE\0" + (text or "").encode("utf-16-be")}
    return exif.tobytes()


def save_image(
    image,
    path,
    basename,
    seed=None,
    prompt=None,
    extension="png",
    info=None,
    short_filename=False,
    no_prompt=False,
    grid=False,
    pnginfo_section_name="parameters",
    p=None,
    existing_info=None,
    forced_filename=None,
    suffix="",
    save_to_dirs=None,
):
    """Save a picture below `path`; return its file name, and that of a text file or None."""
    names = FilenameGenerator(p, seed, prompt, image, basename=basename)
    into = (
        (opts.grid_save_to_dirs if grid else opts.save_to_dirs and not no_prompt)
        if save_to_dirs is None
        else save_to_dirs
    )
    if into:
        path = os.path.join(
            path, names.apply(opts.directories_filename_pattern or "[prompt_words]").strip(" \\/")
        )
    os.makedirs(path, exist_ok=True)
    stem = (
        forced_filename
        if forced_filename is not None
        else _stem(names, path, basename, seed, short_filename, suffix)
    )
    texts = {**(existing_info or {}), **({pnginfo_section_name: info} if info is not None else {})}
    params = script_callbacks.ImageSaveParams(
        image, p, os.path.join(path, f"{stem}.{extension}"), texts
    )
    if has_forge_traits() and opts.enable_pnginfo:
        from modules import stealth_infotext

        stealth_infotext.add_stealth_pnginfo(params)
    script_callbacks.before_image_saved_callback(params)
    geninfo = params.pnginfo.get(pnginfo_section_name)
    save_image_with_geninfo(
        params.image,
        geninfo,
        params.filename,
        f".{extension}",
        params.pnginfo,
        pnginfo_section_name,
    )
    image.already_saved_as = params.image.already_saved_as = params.filename
    text_file = _save_text(params.filename, geninfo)
    script_callbacks.image_saved_callback(params)
    return params.filename, text_file


def _stem(names, path, basename, seed, short, suffix):
    pattern = opts.samples_filename_pattern or (
        "[seed]" if opts.save_to_dirs else "[seed]-[prompt_spaces]"
    )
    decoration = (names.apply(pattern) if not (short or seed is None) else "") + suffix
    if not opts.save_images_add_number and decoration:
        return decoration
    number = get_next_sequence_number(path, basename)
    counted = f"{number:05}" if not basename else f"{basename}-{number:04}"
    return f"{counted}-{decoration}" if decoration else counted


def _save_text(filename, info):
    if not (opts.save_txt and info):
        return None
    path = os.path.splitext(filename)[0] + ".txt"
    with open(path, "w", encoding="utf8") as file:
        file.write(f"{info}\n")
    return path


def read_info_from_image(image):
    """The infotext of a picture, or None, and its other texts."""
    items = dict(image.info or {})
    geninfo = items.pop("parameters", None)
    comment = (
        image.getexif().get_ifd(0x8769).get(_USER_COMMENT) if hasattr(image, "getexif") else None
    )
    if geninfo is None and comment:
        geninfo = _decode_comment(comment)
    if geninfo is None and has_forge_traits():
        from modules import stealth_infotext

        geninfo = stealth_infotext.read_info_from_image_stealth(image)
    for name in (
        "jfif",
        "jfif_version",
        "jfif_unit",
        "jfif_density",
        "dpi",
        "exif",
        "loop",
        "background",
        "timestamp",
        "duration",
        "progressive",
        "progression",
        "icc_profile",
        "chromaticity",
        "photoshop",
        "gamma",
        "transparency",
    ):
        items.pop(name, None)
    return geninfo, items


def _decode_comment(comment):
    if isinstance(comment, bytes):
        if comment.startswith(b"UNICODE\0"):
            return comment[8:].decode("utf-16-be", errors="ignore")
        return comment.removeprefix(b"ASCII\0\0\0").decode("utf-8", errors="ignore")
    return str(comment)


def image_data(data):
    """The infotext of an uploaded picture or text, for the prompt box."""
    import gradio as gr

    try:
        with Image.open(data) as picture:
            return read_info_from_image(picture)[0], None
    except Exception:
        return gr.update(), None


def flatten(img, bgcolor):
    """RGB; transparent parts take the background colour."""
    if img.mode == "RGBA":
        page = Image.new("RGBA", img.size, bgcolor)
        page.alpha_composite(img)
        img = page
    return img.convert("RGB")


def read(fp, **kwargs):
    """Open a picture and normalise its mode."""
    image = Image.open(fp, **kwargs)
    image.load()
    return fix_image(image)


def fix_image(image):
    """Turn palette pictures with transparency into RGBA and apply the EXIF orientation."""
    if image is None:
        return None
    info = dict(image.info)
    image = ImageOps.exif_transpose(image)
    if image.mode not in ("RGB", "P") or not isinstance(image.info.get("transparency"), bytes):
        return image
    image = image.convert("RGBA")
    image.info = info
    return image
