"""The API under /sdapi/v1. Routes, order of steps and status codes: A1111 v1.10.1,
modules/api/api.py."""

import os
from contextlib import closing
from secrets import compare_digest
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from modules import (
    captions,
    extensions,
    extra_networks,
    images,
    infotext_utils,
    postprocessing,
    progress,
    script_callbacks,
    scripts,
    sd_hijack,
    sd_models,
    sd_samplers,
    sd_schedulers,
    sd_vae,
    shared,
    shared_items,
    ui,
    unbuilt,
)
from modules.api import arguments, errors, models
from modules.api.pictures import decode_base64_to_image, encode_pil_to_base64
from modules.processing import (
    StableDiffusionProcessingImg2Img,
    StableDiffusionProcessingTxt2Img,
    process_images,
)
from modules.sd_models_config import find_checkpoint_config_near_filename
from modules.shared import opts
from webui_standin.flavour import is_forge

# Routes that the real program has and the stand-in hasn't built: each answers 501 with its name.
NOT_BUILT = [
    ("POST", "/sdapi/v1/create/embedding"),
    ("POST", "/sdapi/v1/create/hypernetwork"),
    ("POST", "/sdapi/v1/train/embedding"),
    ("POST", "/sdapi/v1/train/hypernetwork"),
    ("POST", "/sdapi/v1/server-kill"),
    ("POST", "/sdapi/v1/server-restart"),
    ("POST", "/sdapi/v1/server-stop"),
]
_OWN_OF_REQUEST = (
    "script_name",
    "script_args",
    "alwayson_scripts",
    "infotext",
    "send_images",
    "save_images",
    "include_init_images",
)


def validate_sampler_name(name):
    """The name; HTTPException 400 for an unknown one."""
    if name not in sd_samplers.all_samplers_map:
        raise HTTPException(status_code=400, detail="Sampler not found")
    return name


def validation_values(request):
    """All fields of a request by name."""
    return dict(vars(request))


class Api:
    """All routes of the API on an app."""

    def __init__(self, app: FastAPI, queue_lock: Any):
        pairs = (shared.cmd_opts.api_auth or "").split(",")
        self.credentials = dict(pair.split(":", 1) for pair in pairs if pair)
        self.router, self.app, self.queue_lock = APIRouter(), app, queue_lock
        errors.install(app)
        for method, path, function, model in self._routes():
            self.add_api_route(
                path, function, methods=[method], **({"response_model": model} if model else {})
            )
        for method, path in NOT_BUILT:
            self.add_api_route(path, _not_built(path), methods=[method])
        if not scripts.scripts_txt2img.scripts or not scripts.scripts_img2img.scripts:
            ui.create_ui()
        self.default_script_arg_txt2img = arguments.defaults(scripts.scripts_txt2img)
        self.default_script_arg_img2img = arguments.defaults(scripts.scripts_img2img)

    def _routes(self):
        base = "/sdapi/v1/"
        table = [
            ("POST", "txt2img", self.text2imgapi, models.TextToImageResponse),
            ("POST", "img2img", self.img2imgapi, models.ImageToImageResponse),
            (
                "POST",
                "extra-single-image",
                self.extras_single_image_api,
                models.ExtrasSingleImageResponse,
            ),
            (
                "POST",
                "extra-batch-images",
                self.extras_batch_images_api,
                models.ExtrasBatchImagesResponse,
            ),
            ("POST", "png-info", self.pnginfoapi, models.PNGInfoResponse),
            ("GET", "progress", self.progressapi, models.ProgressResponse),
            ("POST", "interrogate", self.interrogateapi, None),
            ("POST", "interrupt", self.interruptapi, None),
            ("POST", "skip", self.skip, None),
            ("GET", "options", self.get_config, models.OptionsModel),
            ("POST", "options", self.set_config, None),
            ("GET", "cmd-flags", self.get_cmd_flags, models.FlagsModel),
            ("GET", "samplers", self.get_samplers, list[models.SamplerItem]),
            ("GET", "schedulers", self.get_schedulers, list[models.SchedulerItem]),
            ("GET", "upscalers", self.get_upscalers, list[models.UpscalerItem]),
            (
                "GET",
                "latent-upscale-modes",
                self.get_latent_upscale_modes,
                list[models.LatentUpscalerModeItem],
            ),
            ("GET", "sd-models", self.get_sd_models, list[models.SDModelItem]),
            (
                "GET",
                "sd-modules" if is_forge() else "sd-vae",
                self.get_sd_vaes,
                list[models.SDVaeItem],
            ),
            ("GET", "hypernetworks", self.get_hypernetworks, list[models.HypernetworkItem]),
            ("GET", "face-restorers", self.get_face_restorers, list[models.FaceRestorerItem]),
            ("GET", "realesrgan-models", self.get_realesrgan_models, list[models.RealesrganItem]),
            ("GET", "prompt-styles", self.get_prompt_styles, list[models.PromptStyleItem]),
            ("GET", "embeddings", self.get_embeddings, models.EmbeddingsResponse),
            ("POST", "refresh-embeddings", self.refresh_embeddings, None),
            ("POST", "refresh-checkpoints", self.refresh_checkpoints, None),
            ("POST", "refresh-vae", self.refresh_vae, None),
            ("GET", "memory", self.get_memory, models.MemoryResponse),
            ("POST", "unload-checkpoint", self.unloadapi, None),
            ("POST", "reload-checkpoint", self.reloadapi, None),
            ("GET", "scripts", self.get_scripts_list, models.ScriptsList),
            ("GET", "script-info", self.get_script_info, list[models.ScriptInfo]),
            ("GET", "extensions", self.get_extensions_list, list[models.ExtensionItem]),
        ]
        return [(method, base + name, function, model) for method, name, function, model in table]

    def add_api_route(self, path, endpoint, **kwargs):
        """Add a route; with --api-auth it asks for the password."""
        if shared.cmd_opts.api_auth:
            kwargs["dependencies"] = [Depends(self.auth)]
        return self.app.add_api_route(path, endpoint, **kwargs)

    def auth(self, credentials: HTTPBasicCredentials = Depends(HTTPBasic())):
        """Compare a Basic header with --api-auth."""
        known = self.credentials.get(credentials.username)
        if known is not None and compare_digest(credentials.password.encode(), known.encode()):
            return True
        headers = {"WWW-Authenticate": "Basic"}
        raise HTTPException(
            status_code=401, detail="Incorrect username or password", headers=headers
        )

    def text2imgapi(self, txt2imgreq: models.StableDiffusionTxt2ImgProcessingAPI):
        """Run a txt2img job."""
        task_id = txt2imgreq.force_task_id or progress.create_task_id("txt2img")
        runner, defaults = scripts.scripts_txt2img, self.default_script_arg_txt2img
        job = self._prepare(txt2imgreq, "txt2img", runner, defaults)
        progress.add_task_to_queue(task_id)
        with (
            self.queue_lock,
            closing(
                StableDiffusionProcessingTxt2Img(sd_model=shared.sd_model, **job["fields"])
            ) as p,
        ):
            processed = self._run(p, task_id, "scripts_txt2img", runner, job, "txt2img")
        return models.TextToImageResponse(**_answer(txt2imgreq, processed, job))

    def img2imgapi(self, img2imgreq: models.StableDiffusionImg2ImgProcessingAPI):
        """Run an img2img job."""
        task_id = img2imgreq.force_task_id or progress.create_task_id("img2img")
        if img2imgreq.init_images is None:
            raise HTTPException(status_code=404, detail="Init image not found")
        mask = decode_base64_to_image(img2imgreq.mask) if img2imgreq.mask else img2imgreq.mask
        runner, defaults = scripts.scripts_img2img, self.default_script_arg_img2img
        job = self._prepare(img2imgreq, "img2img", runner, defaults)
        job["fields"].update(mask=mask)
        progress.add_task_to_queue(task_id)
        with (
            self.queue_lock,
            closing(
                StableDiffusionProcessingImg2Img(sd_model=shared.sd_model, **job["fields"])
            ) as p,
        ):
            p.init_images = [decode_base64_to_image(text) for text in img2imgreq.init_images]
            processed = self._run(p, task_id, "scripts_img2img", runner, job, "img2img")
        if not img2imgreq.include_init_images:
            img2imgreq.init_images = img2imgreq.mask = None
        return models.ImageToImageResponse(**_answer(img2imgreq, processed, job))

    def _prepare(self, request, tabname, runner, default_args):
        """Fields of the processing object, script arguments and the selected script of a
        request."""
        from_infotext = arguments.apply_infotext(request, tabname, runner)
        selected = arguments.find(request.script_name, runner.selectable_scripts)
        wanted = request.sampler_name or request.sampler_index
        sampler, scheduler = sd_samplers.get_sampler_and_scheduler(wanted, request.scheduler)
        fields = {
            name: value
            for name, value in validation_values(request).items()
            if name not in _OWN_OF_REQUEST
        }
        fields.update(
            sampler_name=validate_sampler_name(sampler),
            sampler_index=None,
            do_not_save_samples=not request.save_images,
            do_not_save_grid=not request.save_images,
        )
        if not fields["scheduler"] and scheduler != "Automatic":
            fields["scheduler"] = scheduler
        # The overrides of a job may lose an unknown checkpoint; the answer shows that, as it really
        # does.
        args = arguments.build(request, default_args, selected, runner, from_infotext)
        return {"fields": fields, "args": args, "selected": selected, "send": request.send_images}

    def _run(self, p, task_id, job_name, runner, job, tabname):
        p.is_api = True
        p.scripts = runner
        p.outpath_grids = getattr(opts, f"outdir_{tabname}_grids")
        p.outpath_samples = getattr(opts, f"outdir_{tabname}_samples")
        try:
            shared.state.begin(job=job_name)
            progress.start_task(task_id)
            if job["selected"] is not None:
                p.script_args = job["args"]
                processed = runner.run(p, *p.script_args)
            else:
                p.script_args = tuple(job["args"])
                processed = process_images(p)
            progress.finish_task(task_id)
        finally:
            shared.state.end()
            shared.total_tqdm.clear()
        return processed

    def extras_single_image_api(self, req: models.ExtrasSingleImageRequest):
        """Extras for one picture."""
        values = _extras_values(req)
        values["image"] = decode_base64_to_image(values["image"])
        with self.queue_lock:
            shown, text, _ = postprocessing.run_extras(
                extras_mode=0,
                image_folder="",
                input_dir="",
                output_dir="",
                save_output=False,
                **values,
            )
        return models.ExtrasSingleImageResponse(
            image=encode_pil_to_base64(shown[0]), html_info=text
        )

    def extras_batch_images_api(self, req: models.ExtrasBatchImagesRequest):
        """Extras for several pictures."""
        values = _extras_values(req)
        pictures = [decode_base64_to_image(item.data) for item in values.pop("imageList")]
        with self.queue_lock:
            shown, text, _ = postprocessing.run_extras(
                extras_mode=1,
                image_folder=pictures,
                image="",
                input_dir="",
                output_dir="",
                save_output=False,
                **values,
            )
        return models.ExtrasBatchImagesResponse(
            images=[encode_pil_to_base64(item) for item in shown], html_info=text
        )

    def pnginfoapi(self, req: models.PNGInfoRequest):
        """The texts of a picture."""
        text, items = images.read_info_from_image(decode_base64_to_image(req.image.strip()))
        params = infotext_utils.parse_generation_parameters(text or "")
        script_callbacks.infotext_pasted_callback(text or "", params)
        shown = {key: value for key, value in items.items() if isinstance(value, (str, int, float))}
        return models.PNGInfoResponse(info=text or "", items=shown, parameters=params)

    def progressapi(self, req: models.ProgressRequest = Depends()):
        """Progress of the current job."""
        import time

        state = shared.state
        if state.job_count == 0:
            return models.ProgressResponse(
                progress=0, eta_relative=0, state=state.dict(), textinfo=state.textinfo
            )
        done = min(progress.fraction_done() + 0.01, 1)
        spent = time.time() - state.time_start
        shown = state.current_image is not None and not req.skip_current_image
        picture = encode_pil_to_base64(state.current_image) if shown else None
        return models.ProgressResponse(
            progress=done,
            eta_relative=spent / done - spent,
            state=state.dict(),
            current_image=picture,
            textinfo=state.textinfo,
        )

    def interrogateapi(self, interrogatereq: models.InterrogateRequest):
        """What a picture shows; HTTPException 404 for null, and for an unknown model."""
        if interrogatereq.image is None:
            raise HTTPException(status_code=404, detail="Image not found")
        known = {"clip": captions.sentence, "deepdanbooru": captions.tags}
        picture = decode_base64_to_image(interrogatereq.image)
        if interrogatereq.model not in known:
            raise HTTPException(status_code=404, detail="Model not found")
        with self.queue_lock:
            caption = known[interrogatereq.model](picture)
        return models.InterrogateResponse(caption=caption)

    def interruptapi(self):
        """Stop the current job."""
        shared.state.interrupt()
        return {}

    def skip(self):
        """Go on with the next picture."""
        shared.state.skip()

    def unloadapi(self):
        """Nothing lies in any memory."""
        sd_models.unload_model_weights()
        return {}

    def reloadapi(self):
        """Nothing to move."""
        sd_models.send_model_to_device(shared.sd_model)
        return {}

    def get_config(self):
        """The settings that are known; the answer's model fills in the defaults of the others."""
        return dict(opts.data)

    def set_config(self, req: dict[str, Any]):
        """Set and save settings; an unknown checkpoint is an error, an unknown name a KeyError."""
        name = req.get("sd_model_checkpoint")
        if name is not None and name not in sd_models.checkpoint_aliases:
            raise RuntimeError(f"model {name!r} not found")
        for key, value in req.items():
            if is_forge() and key == "forge_additional_modules":
                from modules_forge import main_entry

                main_entry.modules_change(value, save=False)
            else:
                opts.set(key, value, is_api=True)
        opts.save(shared.config_filename)

    def get_cmd_flags(self):
        """The command line."""
        return vars(shared.cmd_opts)

    def get_samplers(self):
        """All samplers."""
        return [
            {"name": item.name, "aliases": item.aliases, "options": _texts(item.options)}
            for item in sd_samplers.all_samplers
        ]

    def get_schedulers(self):
        """All schedules."""
        names = ("name", "label", "aliases", "default_rho", "need_inner_model")
        return [{name: getattr(item, name) for name in names} for item in sd_schedulers.schedulers]

    def get_upscalers(self):
        """All upscalers."""
        return [
            {
                "name": item.name,
                "model_name": item.scaler.model_name,
                "model_path": item.data_path,
                "model_url": None,
                "scale": item.scale,
            }
            for item in shared.sd_upscalers
        ]

    def get_latent_upscale_modes(self):
        """All latent upscale modes."""
        return [{"name": name} for name in shared.latent_upscale_modes]

    def get_sd_models(self):
        """All checkpoints."""
        return [
            {
                "title": item.title,
                "model_name": item.model_name,
                "hash": item.shorthash,
                "sha256": item.sha256,
                "filename": item.filename,
                "config": find_checkpoint_config_near_filename(item),
            }
            for item in sd_models.checkpoints_list.values()
        ]

    def get_sd_vaes(self):
        """All VAEs."""
        return [{"model_name": name, "filename": path} for name, path in sd_vae.vae_dict.items()]

    def get_hypernetworks(self):
        """All hypernetworks."""
        return [{"name": name, "path": path} for name, path in shared.hypernetworks.items()]

    def get_face_restorers(self):
        """The two that the renderer knows."""
        return [{"name": item.name(), "cmd_dir": None} for item in shared.face_restorers]

    def get_realesrgan_models(self):
        """The upscalers of that family."""
        return [
            {"name": item.name, "path": item.data_path, "scale": item.scale}
            for item in shared.sd_upscalers
            if item.name.startswith("R-ESRGAN")
        ]

    def get_prompt_styles(self):
        """All styles."""
        return [
            {"name": item[0], "prompt": item[1], "negative_prompt": item[2]}
            for item in shared.prompt_styles.styles.values()
        ]

    def get_embeddings(self):
        """All embeddings, and those that don't fit the checkpoint: none here."""
        database = sd_hijack.model_hijack.embedding_db
        names = ("step", "sd_checkpoint", "sd_checkpoint_name", "shape", "vectors")
        loaded, skipped = (
            {item.name: {name: getattr(item, name) for name in names} for item in known.values()}
            for known in (database.word_embeddings, database.skipped_embeddings)
        )
        return {"loaded": loaded, "skipped": skipped}

    def refresh_embeddings(self):
        """Read the embedding folder again."""
        with self.queue_lock:
            database = sd_hijack.model_hijack.embedding_db
            database.load_textual_inversion_embeddings(force_reload=True)

    def refresh_checkpoints(self):
        """Read the checkpoint folder again."""
        with self.queue_lock:
            sd_models.list_models()

    def refresh_vae(self):
        """Read the VAE folder again."""
        with self.queue_lock:
            shared_items.refresh_vae_list()

    def get_memory(self):
        """Memory of the machine, where the system tells it."""
        names = ("SC_PAGE_SIZE", "SC_PHYS_PAGES", "SC_AVPHYS_PAGES")
        if not all(name in getattr(os, "sysconf_names", {}) for name in names):
            return {"ram": {"error": "unavailable"}, "cuda": {"error": "unavailable"}}
        page, total, free = (os.sysconf(name) for name in names)
        ram = {"free": page * free, "used": page * (total - free), "total": page * total}
        return {"ram": ram, "cuda": {"error": "unavailable"}}

    def get_scripts_list(self):
        """Names of the scripts of both tabs."""
        names = {
            tab: [item.name for item in runner.scripts if item.name is not None]
            for tab, runner in _runners().items()
        }
        return models.ScriptsList(**names)

    def get_script_info(self):
        """All scripts and their arguments."""
        return [
            item.api_info
            for runner in _runners().values()
            for item in runner.scripts
            if item.api_info is not None
        ]

    def get_extensions_list(self):
        """The extensions that come from a git repository with a remote."""
        extensions.list_extensions()
        found = []
        for item in extensions.extensions:
            item.read_info_from_repo()
            if item.remote is not None:
                names = ("name", "remote", "branch", "commit_hash", "version", "enabled")
                found.append(
                    {
                        **{name: getattr(item, name) for name in names},
                        "commit_date": str(item.commit_date),
                    }
                )
        return found


def _runners():
    return {"txt2img": scripts.scripts_txt2img, "img2img": scripts.scripts_img2img}


def _texts(options):
    return {name: str(value) for name, value in options.items()}


def _extras_values(request):
    values = validation_values(request)
    for number in ("1", "2"):
        values[f"extras_upscaler_{number}"] = values.pop(f"upscaler_{number}")
    return values


def _answer(request, processed, job):
    pictures = processed.images + getattr(processed, "extra_images", [])
    shown = [encode_pil_to_base64(item) for item in pictures] if job["send"] else []
    return {"images": shown, "parameters": validation_values(request), "info": processed.js()}


def _not_built(path):
    def endpoint():
        unbuilt.refuse(path)

    return endpoint


def lora_routes(app):
    """The routes that the webui's built-in Lora extension adds, without a password."""

    def loras():
        return [
            {"name": name, "alias": name, "path": path, "metadata": {}}
            for name, path in extra_networks.list_loras().items()
        ]

    app.add_api_route("/sdapi/v1/loras", loras, methods=["GET"])
    app.add_api_route("/sdapi/v1/refresh-loras", lambda: None, methods=["POST"])
