"""What an extension's install.py imports: `import launch`."""

from modules import launch_utils
from modules.launch_utils import (
    args,
    check_run_python,
    commit_hash,
    git_clone,
    git_tag,
    index_url,
    is_installed,
    list_extensions,
    prepare_environment,
    python,
    repo_dir,
    run,
    run_extension_installer,
    run_pip,
)

skip_install = launch_utils.args.skip_install


def check_run_pip(package):
    """Tell whether a package is installed."""
    return is_installed(package)
