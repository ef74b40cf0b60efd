"""Scripts and styles of the page. Order: A1111 v1.10.1, modules/ui_gradio_extensions.py."""

import os
from urllib.parse import quote

from modules import localization, scripts, shared, util
from modules.paths import data_path, script_path
from webui_standin import gradio_compat


def webpath(fn):
    """The URL of a file, which changes when the file does."""
    return f"file={quote(util.truncate_path(fn))}?{os.path.getmtime(fn)}"


def javascript_html():
    """Script tags: the translation, script.js, the webui's files, the extensions'."""
    tags = [f"<script>{localization.localization_js(shared.opts.localization)}</script>"]
    files = [os.path.join(script_path, "script.js")]
    files += [file.path for file in scripts.list_scripts("javascript", ".js")]
    tags += [f'<script type="text/javascript" src="{webpath(path)}"></script>' for path in files]
    modules = scripts.list_scripts("javascript", ".mjs")
    tags += [f'<script type="module" src="{webpath(file.path)}"></script>' for file in modules]
    return "\n".join(tags)


def css_html():
    """Style sheets: the webui's, the extensions', the user's."""
    files = scripts.list_files_with_name("style.css")
    own = os.path.join(data_path, "user.css")
    files += [own] if os.path.exists(own) else []
    return "\n".join(
        f'<link rel="stylesheet" property="stylesheet" href="{webpath(path)}">' for path in files
    )


def reload_javascript():
    """Serve the page with the current files."""
    referrer = '<meta name="referrer" content="no-referrer"/>'
    gradio_compat.serve_page(javascript_html() + referrer, css_html())


def allowed_paths():
    """Folders from which the page loads files."""
    from modules import extensions

    return [
        script_path,
        *(item.path for item in extensions.extensions),
        *shared.cmd_opts.gradio_allowed_path,
    ]
