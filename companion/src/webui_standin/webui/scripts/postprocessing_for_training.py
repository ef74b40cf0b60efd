"""Operations that prepare pictures for training. Names, arguments, element ids and orders: A1111
v1.10.1, extensions-builtin/postprocessing-for-training; Forge dfdcbab6 has the focal crop only.
"""

import gradio as gr
import numpy as np
from modules import captions, scripts_postprocessing
from modules.ui_components import InputAccordion
from PIL import Image, ImageDraw, ImageOps

LARGEST = "Maximize area"


def _slider(label, minimum, maximum, step, value, elem_id):
    return gr.Slider(
        label=label, minimum=minimum, maximum=maximum, step=step, value=value, elem_id=elem_id
    )


class ScriptPostprocessingSplitOversized(scripts_postprocessing.ScriptPostprocessing):
    """Cuts a long picture into several of the target's shape."""

    name, order = "Split oversized images", 4000

    def ui(self):
        with InputAccordion(False, label=self.name) as enable:
            threshold = _slider("Threshold", 0.0, 1.0, 0.05, 0.5, "postprocess_split_threshold")
            overlap = _slider("Overlap ratio", 0.0, 0.9, 0.05, 0.2, "postprocess_overlap_ratio")
        return {"enable": enable, "split_threshold": threshold, "overlap_ratio": overlap}

    def process(self, pp, enable, split_threshold, overlap_ratio):
        target = pp.shared.target_width, pp.shared.target_height
        if not enable or not all(target):
            return
        tall = pp.image.height > pp.image.width
        shape = pp.image.width * target[1], pp.image.height * target[0]
        ratio = shape[0] / shape[1] if tall else shape[1] / shape[0]
        if ratio < 1.0 and ratio <= split_threshold:
            first, *others = _split(pp.image, tall, target, overlap_ratio)
            pp.image, pp.extra_images = first, [pp.create_copy(item) for item in others]


def _split(picture, tall, target, overlap):
    """The parts of a picture along its long axis, as wide as the target across it."""
    axis = 1 if tall else 0
    across = target[1 - axis]
    length = picture.size[axis] * across // picture.size[1 - axis]
    size = (across, length) if tall else (length, across)
    picture, part = picture.resize(size), target[axis]
    count = int(np.ceil((length - part * overlap) / (part * (1 - overlap))))
    for number in range(count):
        start = int((length - part) / (count - 1) * number)
        box = (0, start, across, start + part) if tall else (start, 0, start + part, across)
        yield picture.crop(box)


class ScriptPostprocessingFocalCrop(scripts_postprocessing.ScriptPostprocessing):
    """Crops to the target's size around what stands out."""

    name, order = "Auto focal point crop", 4010

    def ui(self):
        place = "postprocess_focal_crop_"
        with InputAccordion(False, label=self.name) as enable:
            face, entropy, edges = (
                _slider(
                    f"Focal point {kind} weight", 0.0, 1.0, 0.05, value, f"{place}{kind}_weight"
                )
                for kind, value in (("face", 0.9), ("entropy", 0.15), ("edges", 0.5))
            )
            debug = gr.Checkbox(
                label="Create debug image", elem_id="train_process_focal_crop_debug"
            )
        weights = {"face_weight": face, "entropy_weight": entropy, "edges_weight": edges}
        return {"enable": enable, **weights, "debug": debug}

    def process(self, pp, enable, face_weight, entropy_weight, edges_weight, debug):
        target = pp.shared.target_width, pp.shared.target_height
        if not enable or not all(target):
            return
        scale = max(target[0] / pp.image.width, target[1] / pp.image.height)
        picture = pp.image.resize(tuple(max(1, round(side * scale)) for side in pp.image.size))
        centre = _focus(picture, face_weight, entropy_weight, edges_weight)
        corner = [
            min(max(middle - side // 2, 0), max(whole - side, 0))
            for middle, side, whole in zip(centre, target, picture.size, strict=True)
        ]
        box = (*corner, corner[0] + target[0], corner[1] + target[1])
        pp.image = picture.crop(box)
        if debug:
            shown = _marked(picture, box, centre)
            pp.extra_images = [
                pp.create_copy(shown, nametags=["focal-crop-debug"], disable_processing=True)
            ]


def _focus(picture, face, entropy, edges):
    """The mean of three centres, in pixels: of bright parts, of rare levels, and of edges."""
    levels = np.asarray(picture.convert("L"), np.int64)
    rare = levels.size // (np.bincount(levels.ravel(), minlength=256)[levels] + 1)
    steps = np.abs(np.diff(levels, axis=0, prepend=levels[:1]))
    steps += np.abs(np.diff(levels, axis=1, prepend=levels[:, :1]))
    found = [(face, levels**2), (entropy, rare), (edges, steps)]
    found = [(weight, _centre(values)) for weight, values in found if weight and values.any()]
    if not found:
        return picture.width // 2, picture.height // 2
    total = sum(weight for weight, _ in found)
    return tuple(int(sum(weight * at[axis] for weight, at in found) / total) for axis in (0, 1))


def _centre(values):
    rows, columns = values.sum(axis=1), values.sum(axis=0)
    across, down = (
        int((line * np.arange(line.size)).sum() // line.sum()) for line in (columns, rows)
    )
    return across, down


def _marked(picture, box, centre):
    shown = picture.copy()
    draw = ImageDraw.Draw(shown)
    draw.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), outline="#0f0")
    draw.ellipse((centre[0] - 3, centre[1] - 3, centre[0] + 3, centre[1] + 3), outline="#f00")
    return shown


class ScriptPostprocessingAutosizedCrop(scripts_postprocessing.ScriptPostprocessing):
    """Crops the middle to the best size within limits."""

    name, order = "Auto-sized crop", 4020

    def ui(self):
        place, area = "postprocess_multicrop_", 64 * 64
        goals, most = [LARGEST, "Minimize error"], 2048 * 2048
        with InputAccordion(False, label=self.name) as enable:
            low = _slider("Dimension lower bound", 64, 2048, 8, 384, f"{place}mindim")
            high = _slider("Dimension upper bound", 64, 2048, 8, 768, f"{place}maxdim")
            least = _slider("Area lower bound", area, most, 1, area, f"{place}minarea")
            largest = _slider("Area upper bound", area, most, 1, 640 * 640, f"{place}maxarea")
            goal = gr.Radio(
                goals, value=goals[0], label="Resizing objective", elem_id=f"{place}objective"
            )
            error = _slider("Error threshold", 0, 1, 0.01, 0.1, f"{place}threshold")
        limits = {"mindim": low, "maxdim": high, "minarea": least, "maxarea": largest}
        return {"enable": enable, **limits, "objective": goal, "threshold": error}

    def process(self, pp, enable, mindim, maxdim, minarea, maxarea, objective, threshold):
        if not enable:
            return
        shape, found = pp.image.width / pp.image.height, []
        sides = range(int(mindim), int(maxdim) + 1, 64)
        for width, height in ((width, height) for width in sides for height in sides):
            relation = shape / (width / height)
            error = 1 - min(relation, 1 / relation)
            if minarea <= width * height <= maxarea and error <= threshold:
                best = (width * height, -error)
                found.append((best if objective == LARGEST else best[::-1], width, height))
        if found:
            _best, width, height = max(found, key=lambda item: item[0])
            pp.image = ImageOps.fit(pp.image, (width, height), Image.Resampling.LANCZOS)


class ScriptPostprocessingCreateFlippedCopies(scripts_postprocessing.ScriptPostprocessing):
    """Adds mirrored copies."""

    name, order = "Create flipped copies", 4030

    def ui(self):
        choices = ["Horizontal", "Vertical", "Both"]
        with InputAccordion(False, label=self.name) as enable:
            option = gr.CheckboxGroup(value=choices[:1], choices=choices, show_label=False)
        return {"enable": enable, "option": option}

    def process(self, pp, enable, option):
        flips = {"Horizontal": [ImageOps.mirror], "Vertical": [ImageOps.flip]}
        flips["Both"] = flips["Horizontal"] + flips["Vertical"]
        for name in flips if enable else ():
            if name in option:
                picture = pp.image
                for flip in flips[name]:
                    picture = flip(picture)
                pp.extra_images.append(picture)


class ScriptPostprocessingCaption(scripts_postprocessing.ScriptPostprocessing):
    """Writes what the picture shows into a text file beside it."""

    name, order = "Caption", 4040

    def ui(self):
        choices = ["Deepbooru", "BLIP"]
        with InputAccordion(False, label=self.name) as enable:
            option = gr.CheckboxGroup(value=choices[:1], choices=choices, show_label=False)
        return {"enable": enable, "option": option}

    def process(self, pp, enable, option):
        if enable:
            chosen = {"Deepbooru": captions.tags, "BLIP": captions.sentence}
            texts = [caption(pp.image) for name, caption in chosen.items() if name in option]
            pp.caption = ", ".join(filter(None, [pp.caption, *texts]))
