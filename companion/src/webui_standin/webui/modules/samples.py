"""What a first start finds: small models and styles, so that there is something to choose from."""

import csv
import json
import os

from modules.paths_internal import data_path, models_path
from modules.shared_cmd_options import cmd_opts

# Folder, ending and names.
MODELS = {
    os.path.join(models_path, "Stable-diffusion"): (
        ".safetensors",
        ["standin-meadow", "standin-tundra", "standin-refiner"],
    ),
    os.path.join(models_path, "VAE"): (".safetensors", ["standin-soft", "standin-vivid"]),
    os.path.join(models_path, "Lora"): (".safetensors", ["standin-dawn", "standin-mist"]),
    cmd_opts.hypernetwork_dir: (".pt", ["standin-contrast"]),
    cmd_opts.embeddings_dir: (".safetensors", ["standin-autumn"]),
}
STYLES = [
    ["name", "prompt", "negative_prompt"],
    ["golden hour", "{prompt}, golden hour, long shadows", "noon"],
    ["ink", "ink drawing", "colour"],
]


def make():
    """Write samples into model folders, and a styles file, that don't exist yet."""
    for folder, (ending, names) in MODELS.items():
        if not os.path.isdir(folder):
            os.makedirs(folder)
            for name in names:
                _write(os.path.join(folder, name + ending), name)
    path = os.path.join(data_path, "styles.csv")
    if not os.path.exists(path):
        with open(path, "w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(STYLES)


def _write(path, name):
    """A file without tensors, whose hash is the model's colours."""
    header = json.dumps({"__metadata__": {"made_by": "webui_standin", "name": name}}).encode()
    with open(path, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
