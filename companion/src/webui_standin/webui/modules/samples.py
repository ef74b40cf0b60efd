"""What a first start finds: small models and styles, so that there is something to choose from."""

import csv
import json
import os

from modules.paths_internal import data_path, models_path

MODELS = {
    "Stable-diffusion": ["standin-meadow", "standin-tundra", "standin-refiner"],
    "VAE": ["standin-soft", "standin-vivid"],
    "Lora": ["standin-dawn", "standin-mist"],
}
STYLES = [
    ["name", "prompt", "negative_prompt"],
    ["golden hour", "{prompt}, golden hour, long shadows", "noon"],
    ["ink", "ink drawing", "colour"],
]


def make():
    """Write samples into model folders, and a styles file, that don't exist yet."""
    for folder, names in MODELS.items():
        target = os.path.join(models_path, folder)
        if not os.path.isdir(target):
            os.makedirs(target)
            for name in names:
                _write_safetensors(os.path.join(target, f"{name}.safetensors"), name)
    path = os.path.join(data_path, "styles.csv")
    if not os.path.exists(path):
        with open(path, "w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(STYLES)


def _write_safetensors(path, name):
    """A file without tensors, whose hash is the model's colours."""
    header = json.dumps({"__metadata__": {"made_by": "webui_standin", "name": name}}).encode()
    with open(path, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
