"""Everything before the page is built. Order: A1111 v1.10.1, modules/initialize.py."""

from modules import (
    extensions,
    localization,
    sd_hijack,
    sd_models,
    sd_samplers,
    sd_vae,
    shared,
    shared_items,
    timer,
    upscaler,
)


def initialize():
    """Once, at start."""
    from modules import gradio_extensons
    from modules.call_queue import wrap_queued_call

    sd_models.setup_model()
    shared.opts.onchange(
        "sd_model_checkpoint",
        wrap_queued_call(lambda: sd_models.reload_model_weights()),
        call=False,
    )
    shared.opts.onchange(
        "sd_vae", wrap_queued_call(lambda: sd_vae.reload_vae_weights()), call=False
    )
    initialize_rest(reload_script_modules=False)


def initialize_rest(*, reload_script_modules=False):
    """At start and at each Reload UI: models, extensions and their script files."""
    from modules import scripts

    sd_samplers.set_samplers()
    extensions.list_extensions()
    sd_models.list_models()
    localization.list_localizations(shared.cmd_opts.localizations_dir)
    with timer.startup_timer.subcategory("load scripts"):
        scripts.load_scripts()
    upscaler.load_upscalers()
    shared_items.reload_hypernetworks()
    sd_hijack.model_hijack.embedding_db.load_textual_inversion_embeddings(force_reload=True)
    sd_vae.refresh_vae_list()
    shared.prompt_styles.reload()
    sd_models.reload_model_weights()
