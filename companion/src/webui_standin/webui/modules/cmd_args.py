"""The command line. Flag names and defaults from A1111 v1.10.1, modules/cmd_args.py.

Flags about GPU, training and downloads are accepted and do nothing.
"""

import argparse
import os

from modules.paths_internal import data_path, models_path, sd_default_config, sd_model_file

parser = argparse.ArgumentParser(prog="webui_standin")

_SWITCHES = """
    -f --update-all-extensions --skip-python-version-check --skip-torch-cuda-test
    --reinstall-xformers --reinstall-torch --update-check --test-server --log-startup
    --skip-prepare-environment --skip-install --dump-sysinfo --do-not-download-clip --no-half
    --no-half-vae --no-progressbar-hiding --allow-code --medvram --medvram-sdxl --lowvram --lowram
    --always-batch-cond-uncond --unload-gfpgan --upcast-sampling --share
    --enable-insecure-extension-access --xformers --force-enable-xformers --opt-split-attention
    --opt-sdp-attention --opt-sdp-no-mem-attention --disable-opt-split-attention
    --disable-nan-check --use-ipex --disable-model-loading-ram-optimization --listen
    --hide-ui-dir-config --freeze-settings --gradio-debug --opt-channelslast --autolaunch
    --use-textbox-seed --disable-console-progressbars --enable-console-prompts
    --disable-safe-unpickle --api --api-log --nowebui --ui-debug-mode --administrator
    --no-gradio-queue --skip-version-check --no-hashing --no-download-sd-model
    --disable-all-extensions --disable-extra-extensions --skip-load-model-at-start
    --no-prompt-history --disable-gpu-warning --api-server-stop --cuda-stream
    --cuda-malloc --pin-shared-memory --always-cpu
"""
_TEXTS = """
    --vae-path --vae-dir --ckpt-dir --text-encoder-dir --lora-dir --freeze-settings-in-sections
    --freeze-specific-settings --gradio-auth --gradio-auth-path --theme --api-auth --device-id
    --cors-allow-origins --cors-allow-origins-regex --tls-keyfile --tls-certfile --server-name
    --subpath --loglevel --ngrok
"""

for switch in _SWITCHES.split():
    parser.add_argument(switch, action="store_true")
for text in _TEXTS.split():
    parser.add_argument(text, type=str, default=None)

parser.add_argument("--data-dir", type=os.path.abspath, default=data_path)
parser.add_argument("--models-dir", type=os.path.abspath, default=models_path)
parser.add_argument("--extensions", help="folder whose sub-folders are extensions", default=None)
parser.add_argument("--seconds-per-step", type=float, default=0, help="of the stand-in alone")
parser.add_argument("--port", type=int, default=None, help="0 for any free port")
parser.add_argument("--config", default=sd_default_config)
parser.add_argument("--ckpt", default=sd_model_file)
parser.add_argument("--precision", choices=["full", "half", "autocast"], default="autocast")
parser.add_argument("--use-cpu", nargs="+", default=[], type=str.lower)
parser.add_argument("--disable-tls-verify", action="store_false", default=None)
parser.add_argument("--gradio-allowed-path", action="append", default=[data_path])
parser.add_argument("--styles-file", action="append", default=[])
parser.add_argument("--timeout-keep-alive", type=int, default=30)
parser.add_argument("--filenames-max-length", type=int, default=128)
parser.add_argument("--embeddings-dir", default=os.path.join(data_path, "embeddings"))
parser.add_argument("--hypernetwork-dir", default=os.path.join(models_path, "hypernetworks"))
parser.add_argument("--localizations-dir", default=os.path.join(data_path, "localizations"))
parser.add_argument("--ui-config-file", default=os.path.join(data_path, "ui-config.json"))
parser.add_argument("--ui-settings-file", default=os.path.join(data_path, "config.json"))
