"""The settings that exist. Names, defaults and infotext labels from A1111 v1.10.1,
modules/shared_options.py; the Forge ones from dfdcbab6, modules_forge/shared_options.py.

Each row is name, default, label, and optionally the infotext label and the choices or range.
"""

import os

import gradio as gr

from modules.options import OptionHTML, OptionInfo, categories, options_section
from modules.paths_internal import data_path, default_output_dir
from webui_standin.flavour import current_flavour, is_forge

options_templates = {}
restricted_opts = {
    "samples_filename_pattern",
    "directories_filename_pattern",
    "outdir_samples",
    "outdir_txt2img_samples",
    "outdir_img2img_samples",
    "outdir_extras_samples",
    "outdir_grids",
    "outdir_txt2img_grids",
    "outdir_save",
    "outdir_init_images",
    "temp_dir",
    "clean_temp_dir_at_start",
}

for _category, _label in {
    "saving": "Saving images",
    "sd": "Stable Diffusion",
    "ui": "User Interface",
    "system": "System",
    "postprocessing": "Postprocessing",
    "training": "Training",
}.items():
    categories.register_category(_category, _label)


# Shown above all tabs, and so neither in the Settings tab nor in what it writes to config.json.
_QUICK = {
    "a1111": ["sd_model_checkpoint"],
    "reforge": ["sd_model_checkpoint", "sd_vae", "CLIP_stop_at_last_layers"],
    "forge": [],
}


def _out(name):
    return os.path.join(default_output_dir, name)


def _lazy(module, name):
    """Component arguments whose choices are looked up when the page is built."""

    def arguments():
        import importlib

        return {"choices": list(getattr(importlib.import_module(f"modules.{module}"), name)())}

    return arguments


_SECTIONS = {
    ("saving-images", "Saving images/grids", "saving"): [
        ("samples_save", True, "Save all pictures"),
        ("samples_format", "png", "File format of pictures"),
        ("samples_filename_pattern", "", "File name pattern of pictures"),
        ("save_images_add_number", True, "Number in file names"),
        (
            "save_images_replace_action",
            "Replace",
            "When a file exists",
            None,
            ["Replace", "Add number suffix"],
        ),
        ("grid_save", True, "Save all grids"),
        ("grid_format", "png", "File format of grids"),
        ("grid_extended_filename", False, "Seed and prompt in file names of grids"),
        ("grid_only_if_multiple", True, "No grid of one picture"),
        ("grid_prevent_empty_spots", False, "No empty places in grids"),
        ("n_rows", -1, "Rows of a grid", None, (-1, 16, 1)),
        ("font", "", "Font of grids"),
        ("grid_background_color", "#ffffff", "Background of grids"),
        ("save_images_before_highres_fix", False, "Save the first pass of hires. fix"),
        ("save_images_before_color_correction", False, "Save before colour correction"),
        ("save_mask", False, "Save masks"),
        ("save_mask_composite", False, "Save masked pictures"),
        ("jpeg_quality", 80, "JPEG quality", None, (1, 100, 1)),
        ("webp_lossless", False, "Lossless webp"),
        ("img_max_size_mp", 200, "Largest picture in megapixels"),
        ("use_original_name_batch", True, "Keep file names in Extras"),
        ("save_selected_only", True, "Save only the selected picture"),
        ("save_write_log_csv", True, "Write log.csv"),
        ("save_init_img", False, "Save init images"),
        ("temp_dir", "", "Temporary folder"),
        ("clean_temp_dir_at_start", False, "Clean the temporary folder at start"),
        ("save_incomplete_images", False, "Save interrupted pictures"),
        ("notification_audio", False, "Play a sound when done"),
        ("notification_volume", 100, "Volume of the sound", None, (0, 100, 1)),
    ],
    ("saving-paths", "Paths for saving", "saving"): [
        ("outdir_samples", "", "Folder of all pictures"),
        ("outdir_txt2img_samples", _out("txt2img-images"), "Folder of txt2img pictures"),
        ("outdir_img2img_samples", _out("img2img-images"), "Folder of img2img pictures"),
        ("outdir_extras_samples", _out("extras-images"), "Folder of Extras pictures"),
        ("outdir_grids", "", "Folder of all grids"),
        ("outdir_txt2img_grids", _out("txt2img-grids"), "Folder of txt2img grids"),
        ("outdir_img2img_grids", _out("img2img-grids"), "Folder of img2img grids"),
        ("outdir_save", os.path.join(data_path, "log", "images"), "Folder of the Save button"),
        ("outdir_init_images", _out("init-images"), "Folder of init images"),
    ],
    ("saving-to-dirs", "Saving to a directory", "saving"): [
        ("save_to_dirs", True, "Pictures into sub-folders"),
        ("grid_save_to_dirs", True, "Grids into sub-folders"),
        ("use_save_to_dirs_for_ui", False, "Sub-folders for the Save button"),
        ("directories_filename_pattern", "[date]", "Name pattern of sub-folders"),
        ("directories_max_prompt_words", 8, "Prompt words in patterns", None, (1, 20, 1)),
    ],
    ("upscaling", "Upscaling", "postprocessing"): [
        ("ESRGAN_tile", 192, "ESRGAN tile", None, (0, 512, 16)),
        ("ESRGAN_tile_overlap", 8, "ESRGAN tile overlap", None, (0, 48, 1)),
        (
            "upscaler_for_img2img",
            None,
            "Upscaler for img2img",
            None,
            _lazy("shared_items", "upscaler_names"),
        ),
    ],
    ("face-restoration", "Face restoration", "postprocessing"): [
        ("face_restoration", False, "Restore faces", "Face restoration"),
        (
            "face_restoration_model",
            "CodeFormer",
            "Face restoration model",
            None,
            ["CodeFormer", "GFPGAN"],
        ),
        ("code_former_weight", 0.5, "CodeFormer weight", None, (0, 1, 0.01)),
    ],
    ("postprocessing", "Postprocessing", "postprocessing"): [
        (
            "postprocessing_enable_in_main_ui",
            [],
            "Postprocessing operations in txt2img and img2img",
            None,
            _lazy("shared_items", "postprocessing_names"),
        ),
        (
            "postprocessing_disable_in_extras",
            [],
            "Postprocessing operations that Extras leaves out",
            None,
            _lazy("shared_items", "postprocessing_names"),
        ),
        (
            "postprocessing_operation_order",
            [],
            "Order of postprocessing operations",
            None,
            _lazy("shared_items", "postprocessing_names"),
        ),
        ("upscaling_max_images_in_cache", 5, "Upscaled pictures in cache", None, (0, 10, 1)),
        (
            "postprocessing_existing_caption_action",
            "Ignore",
            "When a caption exists",
            None,
            ["Ignore", "Keep", "Prepend", "Append"],
        ),
    ],
    ("system", "System", "system"): [
        (
            "auto_launch_browser",
            "Disable",
            "Open the page at start",
            None,
            ["Disable", "Local", "Remote"],
        ),
        ("enable_console_prompts", False, "Print prompts"),
        ("show_warnings", False, "Show warnings"),
        ("show_gradio_deprecation_warnings", False, "Show gradio's warnings"),
        ("memmon_poll_rate", 8, "Memory polls per second", None, (0, 40, 1)),
        ("samples_log_stdout", False, "Print generation info"),
        ("multiple_tqdm", True, "Second progress bar"),
        ("list_hidden_files", True, "List hidden files"),
        ("hide_ldm_prints", True, "Hide prints of ldm"),
    ],
    ("API", "API", "system"): [
        ("api_enable_requests", True, "Allow URLs as pictures in the API"),
        ("api_forbid_local_requests", True, "Forbid local URLs"),
        ("api_useragent", "", "User agent of requests"),
    ],
    ("sd", "Stable Diffusion", "sd"): [
        (
            "sd_model_checkpoint",
            None,
            "Stable Diffusion checkpoint",
            "Model hash",
            _lazy("shared_items", "list_checkpoint_tiles"),
        ),
        ("sd_checkpoints_limit", 1, "Loaded checkpoints", None, (1, 10, 1)),
        ("sd_checkpoints_keep_in_cpu", True, "One model on the device"),
        ("sd_checkpoint_cache", 0, "Checkpoints in RAM", None, (0, 10, 1)),
        ("sd_unet", "Automatic", "SD Unet", None, ["Automatic", "None"]),
        ("enable_quantization", False, "Quantization in K samplers"),
        (
            "emphasis",
            "Original",
            "Emphasis mode",
            "Emphasis",
            ["None", "Ignore", "Original", "No norm"],
        ),
        ("enable_batch_seeds", True, "Same pictures in batches as alone"),
        ("comma_padding_backtrack", 20, "Prompt word wrap", None, (0, 74, 1)),
        ("sdxl_clip_l_skip", False, "Clip skip SDXL"),
        ("CLIP_stop_at_last_layers", 1, "Clip skip", "Clip skip", (1, 12, 1)),
        ("upcast_attn", False, "Upcast cross attention"),
        ("randn_source", "GPU", "Random number generator", "RNG", ["GPU", "CPU", "NV"]),
        ("tiling", False, "Tiling", "Tiling"),
        (
            "hires_fix_refiner_pass",
            "second pass",
            "Refiner in hires. fix",
            "Hires refiner",
            ["first pass", "second pass", "both passes"],
        ),
        ("enable_prompt_comments", True, "Comments in prompts"),
    ],
    ("vae", "VAE", "sd"): [
        ("sd_vae_checkpoint_cache", 0, "VAEs in RAM", None, (0, 10, 1)),
        ("sd_vae", "Automatic", "SD VAE", "VAE", _lazy("shared_items", "sd_vae_items")),
        ("sd_vae_overrides_per_model_preferences", True, "Selected VAE overrides the model's"),
        ("auto_vae_precision_bfloat16", False, "VAE to bfloat16 when needed"),
        ("auto_vae_precision", True, "VAE to 32 bits when needed"),
        ("sd_vae_encode_method", "Full", "VAE encoder", "VAE Encoder", ["Full", "TAESD"]),
        ("sd_vae_decode_method", "Full", "VAE decoder", "VAE Decoder", ["Full", "TAESD"]),
    ],
    ("img2img", "img2img", "sd"): [
        (
            "inpainting_mask_weight",
            1.0,
            "Conditioning mask strength",
            "Conditional mask weight",
            (0.0, 1.0, 0.01),
        ),
        (
            "initial_noise_multiplier",
            1.0,
            "Noise multiplier",
            "Noise multiplier",
            (0.0, 1.5, 0.001),
        ),
        ("img2img_extra_noise", 0.0, "Extra noise", "Extra noise", (0.0, 1.0, 0.01)),
        ("img2img_color_correction", False, "Colour correction"),
        ("img2img_fix_steps", False, "Exactly the number of steps"),
        ("img2img_background_color", "#ffffff", "Colour of transparent parts"),
        ("img2img_editor_height", 720, "Height of the editor", None, (80, 1600, 1)),
        ("return_mask", False, "Show masks"),
        ("return_mask_composite", False, "Show masked pictures"),
        ("img2img_batch_show_results_limit", 32, "Batch results shown", None, (-1, 1000, 1)),
        ("overlay_inpaint", True, "Overlay the original"),
    ],
    ("optimizations", "Optimizations", "sd"): [
        (
            "cross_attention_optimization",
            "Automatic",
            "Cross attention",
            None,
            ["Automatic", "None"],
        ),
        ("s_min_uncond", 0.0, "Negative guidance minimum sigma", "NGMS", (0.0, 15.0, 0.01)),
        ("s_min_uncond_all", False, "The same for all steps", "NGMS all steps"),
        ("token_merging_ratio", 0.0, "Token merging", "Token merging ratio", (0.0, 0.9, 0.1)),
        ("token_merging_ratio_img2img", 0.0, "Token merging in img2img", None, (0.0, 0.9, 0.1)),
        (
            "token_merging_ratio_hr",
            0.0,
            "Token merging in hires. fix",
            "Token merging ratio hr",
            (0.0, 0.9, 0.1),
        ),
        ("pad_cond_uncond", False, "Pad prompts", "Pad conds"),
        ("pad_cond_uncond_v0", False, "Pad prompts (v0)", "Pad conds v0"),
        ("persistent_cond_cache", True, "Keep conditioning"),
        ("batch_cond_uncond", True, "Batch conditioning"),
        ("fp8_storage", "Disable", "FP8 weight", None, ["Disable", "Enable for SDXL", "Enable"]),
        ("cache_fp16_weight", False, "Keep FP16 weight for LoRA"),
    ],
    ("sdxl", "Stable Diffusion XL", "sd"): [
        ("sdxl_crop_top", 0, "crop top coordinate"),
        ("sdxl_crop_left", 0, "crop left coordinate"),
        ("sdxl_refiner_low_aesthetic_score", 2.5, "Low aesthetic score"),
        ("sdxl_refiner_high_aesthetic_score", 6.0, "High aesthetic score"),
    ],
    ("compatibility", "Compatibility", "sd"): [
        ("auto_backcompat", True, "Old behaviour for old infotexts"),
        ("use_old_emphasis_implementation", False, "Old emphasis"),
        ("use_old_karras_scheduler_sigmas", False, "Old karras sigmas"),
        ("no_dpmpp_sde_batch_determinism", False, "DPM++ SDE depends on the batch"),
        ("use_old_hires_fix_width_height", False, "Old size of hires. fix"),
        ("hires_fix_use_firstpass_conds", False, "First pass conditioning in hires. fix"),
        ("use_old_scheduling", False, "Old prompt editing", "Old prompt editing timelines"),
        ("use_downcasted_alpha_bar", False, "Downcast alphas", "Downcast alphas_cumprod"),
        (
            "refiner_switch_by_sample_steps",
            False,
            "Refiner by steps",
            "Refiner switch by sampling steps",
        ),
    ],
    ("interrogate", "Interrogate", None): [
        ("interrogate_keep_models_in_memory", False, "Keep models"),
        ("interrogate_clip_num_beams", 1, "BLIP beams", None, (1, 16, 1)),
    ],
    ("extra_networks", "Extra Networks", "sd"): [
        ("extra_networks_default_multiplier", 1.0, "Default multiplier", None, (0.0, 2.0, 0.01)),
        ("extra_networks_add_text_separator", " ", "Separator"),
        ("sd_lora", "None", "Add network to prompt", None, _lazy("shared_items", "lora_names")),
        ("textual_inversion_add_hashes_to_infotext", True, "Hashes of embeddings in infotexts"),
    ],
    ("sampler-params", "Sampler parameters", "sd"): [
        ("hide_samplers", [], "Hidden samplers", None, _lazy("shared_items", "list_sampler_names")),
        ("eta_ddim", 0.0, "Eta for DDIM", "Eta DDIM", (0.0, 1.0, 0.01)),
        ("eta_ancestral", 1.0, "Eta", "Eta", (0.0, 1.0, 0.01)),
        ("ddim_discretize", "uniform", "DDIM discretize", None, ["uniform", "quad"]),
        ("s_churn", 0.0, "sigma churn", "Sigma churn", (0.0, 100.0, 0.01)),
        ("s_tmin", 0.0, "sigma tmin", "Sigma tmin", (0.0, 10.0, 0.01)),
        ("s_tmax", 0.0, "sigma tmax", "Sigma tmax", (0.0, 999.0, 0.01)),
        ("s_noise", 1.0, "sigma noise", "Sigma noise", (0.0, 1.1, 0.001)),
        ("sigma_min", 0.0, "sigma min", "Schedule min sigma"),
        ("sigma_max", 0.0, "sigma max", "Schedule max sigma"),
        ("rho", 0.0, "rho", "Schedule rho"),
        ("eta_noise_seed_delta", 0, "Eta noise seed delta", "ENSD"),
        (
            "always_discard_next_to_last_sigma",
            False,
            "Discard next-to-last sigma",
            "Discard penultimate sigma",
        ),
        ("sgm_noise_multiplier", False, "SGM noise multiplier", "SGM noise multiplier"),
        ("uni_pc_variant", "bh1", "UniPC variant", "UniPC variant", ["bh1", "bh2", "vary_coeff"]),
        (
            "uni_pc_skip_type",
            "time_uniform",
            "UniPC skip type",
            "UniPC skip type",
            ["time_uniform", "time_quadratic", "logSNR"],
        ),
        ("uni_pc_order", 3, "UniPC order", "UniPC order", (1, 50, 1)),
        ("uni_pc_lower_order_final", True, "UniPC lower order final", "UniPC lower order final"),
        (
            "sd_noise_schedule",
            "Default",
            "Noise schedule",
            "Noise Schedule",
            ["Default", "Zero Terminal SNR"],
        ),
        ("skip_early_cond", 0.0, "No negative prompt early", "Skip Early CFG", (0.0, 1.0, 0.01)),
        ("beta_dist_alpha", 0.6, "Beta alpha", "Beta scheduler alpha", (0.01, 1.0, 0.01)),
        ("beta_dist_beta", 0.6, "Beta beta", "Beta scheduler beta", (0.01, 1.0, 0.01)),
    ],
    ("ui_gallery", "Gallery", "ui"): [
        ("return_grid", True, "Show grids"),
        ("do_not_show_images", False, "Show no pictures"),
        ("js_modal_lightbox", True, "Full page viewer"),
        ("gallery_height", "", "Height of the gallery"),
    ],
    ("ui_alternatives", "UI alternatives", "ui"): [
        ("compact_prompt_box", False, "Compact prompt"),
        ("samplers_in_dropdown", True, "Samplers in a dropdown"),
        ("dimensions_and_batch_together", True, "Size and batch together"),
        ("sd_checkpoint_dropdown_use_short", False, "Short names of checkpoints"),
        ("hires_fix_show_sampler", False, "Hires fix: show hires checkpoint and sampler selection"),
        ("hires_fix_show_prompts", False, "Hires fix: show hires prompt and negative prompt"),
        ("txt2img_settings_accordion", False, "txt2img in an accordion"),
        ("img2img_settings_accordion", False, "img2img in an accordion"),
        ("interrupt_after_current", True, "Interrupt after the picture"),
    ],
    ("ui", "User interface", "ui"): [
        ("localization", "None", "Localization", None, _lazy("shared_items", "localizations")),
        (
            "quick_setting_list" if is_forge() else "quicksettings_list",
            _QUICK[current_flavour()],
            "Quicksettings",
            None,
            _lazy("shared_items", "option_names"),
        ),
        ("ui_tab_order", [], "Order of tabs", None, _lazy("shared_items", "tab_names")),
        ("hidden_tabs", [], "Hidden tabs", None, _lazy("shared_items", "tab_names")),
        (
            "ui_reorder_list",
            [],
            "Order of parts",
            None,
            _lazy("shared_items", "ui_reorder_categories"),
        ),
        ("gradio_theme", "Default", "Theme", None, ["Default"]),
        ("show_progress_in_title", True, "Progress in the title"),
        ("send_seed", True, "Send the seed along"),
        ("send_size", True, "Send the size along"),
        ("enable_reloading_ui_scripts", False, "Reload UI modules"),
    ],
    ("infotext", "Infotext", "ui"): [
        ("enable_pnginfo", True, "Infotext in pictures"),
        ("save_txt", False, "Infotext beside pictures"),
        ("add_model_name_to_info", True, "Model name"),
        ("add_model_hash_to_info", True, "Model hash"),
        ("add_vae_name_to_info", True, "VAE name"),
        ("add_vae_hash_to_info", True, "VAE hash"),
        ("add_user_name_to_info", False, "User name"),
        ("add_version_to_infotext", True, "Version"),
        ("disable_weights_auto_swap", True, "Don't change the checkpoint by infotext"),
        ("infotext_skip_pasting", [], "Fields not to paste", None, []),
        (
            "infotext_styles",
            "Apply if any",
            "Styles from prompts",
            None,
            ["Ignore", "Apply", "Discard", "Apply if any"],
        ),
    ],
    ("live_previews", "Live previews", "ui"): [
        ("show_progressbar", True, "Progress bar"),
        ("live_previews_enable", True, "Live previews"),
        ("live_previews_image_format", "png", "Format of previews", None, ["jpeg", "png", "webp"]),
        ("show_progress_grid", True, "Previews as a grid"),
        ("show_progress_every_n_steps", 10, "Preview period in steps", None, (-1, 32, 1)),
        (
            "show_progress_type",
            "Approx NN",
            "Preview method",
            None,
            ["Full", "Approx NN", "Approx cheap", "TAESD"],
        ),
        (
            "live_preview_content",
            "Prompt",
            "Preview subject",
            None,
            ["Combined", "Prompt", "Negative prompt"],
        ),
        ("live_preview_refresh_period", 1000, "Preview period in ms"),
        ("prevent_screen_sleep_during_generation", True, "Keep the screen awake"),
    ],
    (None, "Hidden options", None): [
        ("disabled_extensions", [], "Disabled extensions"),
        (
            "disable_all_extensions",
            "none",
            "Disable all extensions",
            None,
            ["none", "extra", "all"],
        ),
        ("restore_config_state_file", "", "Config state to restore"),
        ("sd_checkpoint_hash", "", "Hash of the checkpoint"),
    ],
}

_FORGE = {
    ("forge", "Forge", "sd"): [
        ("forge_preset", "sd", "UI", None, ["sd", "xl", "flux", "all"]),
        (
            "forge_additional_modules",
            [],
            "VAE / Text Encoder",
            None,
            _lazy("shared_items", "vae_paths"),
        ),
        ("hires_button_gallery_insert", False, "Keep the small picture beside the upscaled one"),
        (
            "stealth_pnginfo_option",
            "Alpha",
            "Stealth infotext mode",
            None,
            ["Alpha", "RGB", "None"],
        ),
        (
            "forge_unet_storage_dtype",
            "Automatic",
            "Diffusion in Low Bits",
            None,
            ["Automatic", "bnb-nf4", "float8-e4m3fn"],
        ),
        ("forge_inference_memory", 1024, "Inference memory"),
        ("forge_async_loading", "Queue", "Swap Method", None, ["Queue", "Async"]),
        ("forge_pin_shared_memory", "CPU", "Swap Location", None, ["CPU", "Shared"]),
        (
            "forge_try_reproduce",
            "None",
            "Reproduce other programs",
            None,
            [
                "None",
                "Diffusers",
                "ComfyUI",
                "WebUI 1.5",
                "InvokeAI",
                "EasyDiffusion",
                "DrawThings",
            ],
        ),
    ],
}

# Forge dfdcbab6 lists hypernetworks, and knows neither the option nor the tag in prompts.
_NOT_FORGE = {
    ("extra_networks", "Extra Networks", "sd"): [
        (
            "sd_hypernetwork",
            "None",
            "Add hypernetwork to prompt",
            None,
            _lazy("shared_items", "hypernetwork_names"),
        ),
    ],
}

_RESTRICTED_IN_API = {"api_enable_requests", "api_forbid_local_requests", "api_useragent"}


def _component(default, extra):
    """The component and its arguments for a default value, and choices or a range."""
    if isinstance(extra, tuple):
        return gr.Slider, dict(zip(("minimum", "maximum", "step"), extra, strict=False))
    if extra is None:
        whole = isinstance(default, int) and not isinstance(default, bool)
        number = isinstance(default, float) or whole
        return (gr.Number, {"precision": 0} if whole else {}) if number else (None, None)
    arguments = extra if callable(extra) else {"choices": extra}
    if isinstance(default, list):
        return _multiple, arguments
    return (gr.Dropdown if callable(extra) else gr.Radio), arguments


def _multiple(**kwargs):
    return gr.Dropdown(multiselect=True, **kwargs)


def _option(name, default, label, infotext=None, extra=None):
    component, arguments = _component(default, extra)
    info = OptionInfo(default, label, component, arguments, infotext=infotext)
    info.restrict_api = name in _RESTRICTED_IN_API
    return info


def _refreshes():
    from modules import shared_items

    options_templates["sd_model_checkpoint"].refresh = shared_items.refresh_checkpoints
    options_templates["sd_vae"].refresh = shared_items.refresh_vae_list
    options_templates["localization"].refresh = shared_items.refresh_localizations


_REFORGE = {
    ("ui_reforge", "reForge", "ui"): [
        ("hires_button_gallery_inset", False, "Keep the small picture beside the upscaled one"),
        (
            "stealth_pnginfo_opt",
            "None",
            "Stealth infotext mode",
            None,
            ["Alpha", "RGB", "None"],
        ),
    ],
}
_OWN = {"a1111": _NOT_FORGE, "reforge": {**_NOT_FORGE, **_REFORGE}, "forge": _FORGE}

for _section, _rows in [*_SECTIONS.items(), *_OWN[current_flavour()].items()]:
    options_templates.update(options_section(_section, {row[0]: _option(*row) for row in _rows}))
options_templates.update(
    options_section(
        ("vae", "VAE", "sd"),
        {
            "sd_vae_explanation": OptionHTML(
                "The stand-in has no VAE: each one draws in other colours."
            )
        },
    )
)
_refreshes()
