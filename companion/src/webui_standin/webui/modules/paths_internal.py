"""The webui's folders. Names from A1111 v1.10.1, modules/paths_internal.py.

Imported before the full argument parser exists, so it reads `--data-dir` and `--models-dir` alone.
"""

import argparse
import os
import shlex
import sys

modules_path = os.path.dirname(os.path.realpath(__file__))
script_path = os.path.dirname(modules_path)

sys.argv += shlex.split(os.environ.get("COMMANDLINE_ARGS", ""))
cwd = os.getcwd()

parser_pre = argparse.ArgumentParser(add_help=False)
parser_pre.add_argument("--data-dir", type=os.path.abspath, default=None)
parser_pre.add_argument("--models-dir", type=os.path.abspath, default=None)
parser_pre.add_argument("--extensions", type=os.path.abspath, default=None)
cmd_opts_pre = parser_pre.parse_known_args()[0]

# Unlike the webui's, the folder of this program isn't writable for everybody.
data_path = cmd_opts_pre.data_dir or os.path.join(cwd, "webui-standin-data")
models_path = cmd_opts_pre.models_dir or os.path.join(data_path, "models")
extensions_dir = cmd_opts_pre.extensions or os.path.join(data_path, "extensions")
extensions_builtin_dir = os.path.join(script_path, "extensions-builtin")
config_states_dir = os.path.join(data_path, "config_states")
default_output_dir = os.path.join(data_path, "outputs")
sd_configs_path = os.path.join(script_path, "configs")
sd_default_config = os.path.join(sd_configs_path, "v1-inference.yaml")
sd_model_file = os.path.join(data_path, "model.ckpt")
default_sd_model_file = sd_model_file
roboto_ttf_file = os.path.join(modules_path, "Roboto-Regular.ttf")
