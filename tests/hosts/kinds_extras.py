"""Kinds of Extras: one picture, several, a folder; each operation, and an order of one's own."""

from __future__ import annotations

from kinds import Scene, group
from webui_page import NotThere, WebuiPage

kind = group("Extras")


@kind("one picture, enlarged by a factor")
def extras_single(scene: Scene) -> None:
    scene.extras()


@kind("one picture with an alpha channel")
def extras_rgba(scene: Scene) -> None:
    scene.extras().upload("extras_image", scene.files.transparent)


@kind("enlarged to a size, cropped, two upscalers mixed")
def extras_sized(scene: Scene) -> None:
    page = scene.extras()
    page.subtab("#extras_resize_mode", "Scale to")
    page.number("extras_upscaling_resize_w", 160)
    page.number("extras_upscaling_resize_h", 128)
    page.choose("extras_upscaler_2", "Nearest")
    page.number("extras_upscaler_2_visibility", 0.4)


@kind("a longest side at most")
def extras_longest_side(scene: Scene) -> None:
    page = scene.extras()
    page.need("extras_upscale_max_side_length", "limit of the longest side")
    page.number("extras_upscale_max_side_length", 128)


@kind("several files", pictures=2)
def extras_batch(scene: Scene) -> None:
    page = scene.extras()
    page.subtab("#mode_extras", "Batch Process")
    page.upload("extras_image_batch", *sorted(scene.files.folder.iterdir()))


@kind("a folder", pictures=2)
def extras_folder(scene: Scene) -> None:
    page = scene.extras()
    page.subtab("#mode_extras", "Batch from Directory")
    # With the factor of the files before, nothing on Forge's page would say that others came.
    page.number("extras_upscaling_resize", 3)
    page.text("extras_batch_input_dir", str(scene.files.folder))


def _operation(page: WebuiPage, name: str) -> None:
    """Switch an operation on by the name in its accordion's head."""
    head = page.page.locator(f'#tab_extras .input-accordion:has(> .label-wrap:has-text("{name}"))')
    if head.count() == 0:
        raise NotThere(f"Extras has no operation {name!r}")
    page.accordion(str(head.first.get_attribute("id")))


@kind("flipped copies of an enlarged picture", pictures=2)
def extras_flipped(scene: Scene) -> None:
    _operation(scene.extras(), "Create flipped copies")


@kind("the focal point cropped out")
def extras_focal(scene: Scene) -> None:
    _operation(scene.extras(), "Auto focal point crop")


@kind("split into parts of a size", pictures=5)
def extras_split(scene: Scene) -> None:
    page = scene.extras()
    page.subtab("#extras_resize_mode", "Scale to")
    page.number("extras_upscaling_resize_w", 128)
    page.number("extras_upscaling_resize_h", 512)
    page.check("extras_upscaling_crop", False)
    _operation(page, "Split oversized images")


@kind(
    "operations in an order of one's own",
    pictures=2,
    options={"postprocessing_operation_order": ["Create flipped copies", "Upscale"]},
)
def extras_order(scene: Scene) -> None:
    _operation(scene.extras(), "Create flipped copies")
