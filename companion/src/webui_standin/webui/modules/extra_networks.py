"""`<lora:name:1>` and `<hypernet:name:1>` in prompts. Names from A1111 v1.10.1,
modules/extra_networks.py and modules/extra_networks_hypernet.py.
"""

import os
import re
from collections import defaultdict

from modules import hashes, shared
from modules.paths_internal import models_path
from modules.shared import opts
from webui_standin.flavour import is_forge

_TAG = re.compile(r"<(\w+):([^>]+)>")
_ENDINGS = (".pt", ".ckpt", ".safetensors")
extra_network_registry = {}


class ExtraNetworkParams:
    """The parts of one tag after its kind."""

    def __init__(self, items=None):
        self.items = items or []
        self.positional = [item for item in self.items if "=" not in item]
        self.named = dict(item.split("=", 1) for item in self.items if "=" in item)

    def __eq__(self, other):
        return self.items == other.items


def parse_prompt(prompt):
    """The prompt without tags, and the tags by kind."""
    found = defaultdict(list)

    def take(match):
        found[match.group(1)].append(ExtraNetworkParams(match.group(2).split(":")))
        return ""

    return _TAG.sub(take, prompt), found


def parse_prompts(prompts):
    """The same for several prompts; the tags of the first one count."""
    parsed = [parse_prompt(prompt) for prompt in prompts]
    return [text for text, _ in parsed], parsed[0][1] if parsed else None


def list_loras():
    """LoRA files by name."""
    folder = shared.cmd_opts.lora_dir or os.path.join(models_path, "Lora")
    files = shared.walk_files(folder, _ENDINGS) if os.path.isdir(folder) else []
    return {os.path.splitext(os.path.basename(path))[0]: path for path in files}


def loaded_loras(network_data):
    """[SHA-256, weights…] of each tag whose file exists: what changes the picture.

    The weight of the text encoder is 1 by default, that of the UNet the same as the text encoder's.
    Source: A1111 v1.10.1, extensions-builtin/Lora/extra_networks_lora.py.
    """
    known, loaded = list_loras(), []
    for params in tags(network_data, "lora", "lyco"):
        path = known.get(params.positional[0]) if params.positional else None
        if path is not None:
            given = dict(zip(("te", "unet", "dyn"), params.positional[1:], strict=False))
            given.update(params.named)
            encoder = float(given.get("te", 1.0))
            weights = [encoder, float(given.get("unet", encoder)), given.get("dyn")]
            loaded.append([hashes.sha256(path, "lora"), *weights])
    return loaded


def loaded_hypernetworks(network_data):
    """[SHA-256, strength] of each tag whose file exists; Forge has no such tag."""
    if is_forge():
        return []
    return [
        [
            hashes.sha256(shared.hypernetworks[params.items[0]], "hypernetwork"),
            float(params.items[1]) if len(params.items) > 1 else 1.0,
        ]
        for params in tags(network_data, "hypernet")
        if params.items[0] in shared.hypernetworks
    ]


def tags(network_data, *kinds):
    """All tags of some kinds."""
    return [params for kind in kinds for params in (network_data or {}).get(kind, [])]


def missing_loras(network_data):
    """Names in tags whose file doesn't exist."""
    known = list_loras()
    return [
        params.positional[0]
        for params in tags(network_data, "lora", "lyco")
        if params.positional and params.positional[0] not in known
    ]


def add_defaults(p, network_data):
    """Add what the settings add to every prompt, unless the prompt has it; infotexts show it."""
    defaults = {"lora": (opts.sd_lora, list_loras())}
    if not is_forge():
        defaults["hypernet"] = (opts.sd_hypernetwork, shared.hypernetworks)
    for kind, (name, known) in defaults.items():
        named = {params.items[0] for params in tags(network_data, kind)}
        if name in known and name not in named:
            strength = str(opts.extra_networks_default_multiplier)
            p.all_prompts = [f"{text}<{kind}:{name}:{strength}>" for text in p.all_prompts]
            network_data[kind].append(ExtraNetworkParams([name, strength]))


def activate(p, extra_network_data):
    """Note in the infotext which LoRAs are in use, and comment on those that are missing."""
    add_defaults(p, extra_network_data)
    known = list_loras()
    names = [
        params.positional[0]
        for params in tags(extra_network_data, "lora", "lyco")
        if params.positional
    ]
    used = {name: hashes.sha256(known[name], "lora")[:12] for name in names if name in known}
    if used:
        p.extra_generation_params["Lora hashes"] = ", ".join(
            f"{name}: {short}" for name, short in used.items()
        )
    for name in missing_loras(extra_network_data):
        p.comment(f"Networks not found: {name}")
    if p.scripts is not None:
        batch = {
            "batch_number": p.iteration,
            "prompts": p.prompts,
            "seeds": p.seeds,
            "subseeds": p.subseeds,
        }
        p.scripts.after_extra_networks_activate(p, extra_network_data=extra_network_data, **batch)


def deactivate(p, extra_network_data):
    """Nothing stays active."""
