"""Tasks: waiting, running, finished. Names and answers: A1111 v1.10.1, modules/progress.py."""

import base64
import io
import random
import string
import time
from collections import OrderedDict

from pydantic import BaseModel

from modules import shared

current_task = None
pending_tasks = OrderedDict()
finished_tasks = []
recorded_results = []
recorded_results_limit = 2


def create_task_id(task_type):
    """A new id for a job of the API."""
    letters = random.choices(string.ascii_uppercase + string.digits, k=7)
    return f"task({task_type}-{''.join(letters)})"


def add_task_to_queue(id_job):
    """The task waits."""
    pending_tasks[id_job] = time.time()


def start_task(id_task):
    """The task runs."""
    global current_task
    current_task = id_task
    pending_tasks.pop(id_task, None)


def finish_task(id_task):
    """The task is over; the last 16 are remembered."""
    global current_task
    if current_task == id_task:
        current_task = None
    finished_tasks.append(id_task)
    del finished_tasks[:-16]


def record_results(id_task, res):
    """Keep the last results for a page that was reloaded."""
    recorded_results.append((id_task, res))
    del recorded_results[:-recorded_results_limit]


class PendingTasksResponse(BaseModel):
    """The tasks that wait."""

    size: int
    tasks: list[str]


class ProgressRequest(BaseModel):
    """Which task is asked about."""

    id_task: str | None = None
    id_live_preview: int = -1
    live_preview: bool = True


class ProgressResponse(BaseModel):
    """How far it is; times in seconds."""

    active: bool
    queued: bool
    completed: bool
    progress: float | None = None
    eta: float | None = None
    live_preview: str | None = None
    id_live_preview: int | None = None
    textinfo: str | None = None


def setup_progress_api(app):
    """Add the page's own routes."""
    app.add_api_route("/internal/pending-tasks", get_pending_tasks, methods=["GET"])
    return app.add_api_route(
        "/internal/progress", progressapi, methods=["POST"], response_model=ProgressResponse
    )


def get_pending_tasks():
    """The tasks that wait."""
    return PendingTasksResponse(size=len(pending_tasks), tasks=list(pending_tasks))


def progressapi(req: ProgressRequest):
    """State, progress and preview of a task."""
    known = {
        "active": req.id_task == current_task,
        "queued": req.id_task in pending_tasks,
        "completed": req.id_task in finished_tasks,
    }
    if not known["active"]:
        waiting = sorted(pending_tasks, key=pending_tasks.get)
        text = (
            f"In queue: {waiting.index(req.id_task) + 1}/{len(waiting)}"
            if known["queued"]
            else "Waiting..."
        )
        return ProgressResponse(**known, id_live_preview=-1, textinfo=text)
    done = fraction_done()
    spent = time.time() - shared.state.time_start
    preview, number = _preview(req)
    shown = {"live_preview": preview, "id_live_preview": number, "textinfo": shared.state.textinfo}
    return ProgressResponse(
        **known, progress=done, eta=spent / done - spent if done > 0 else None, **shown
    )


def fraction_done():
    """Progress of the current job from 0 to 1."""
    state = shared.state
    if state.job_count <= 0:
        return 0
    steps = state.sampling_step / state.sampling_steps if state.sampling_steps > 0 else 0
    return min((state.job_no + steps) / state.job_count, 1)


def _preview(req):
    state, image = shared.state, shared.state.current_image
    if (
        not (shared.opts.live_previews_enable and req.live_preview)
        or image is None
        or state.id_live_preview == req.id_live_preview
    ):
        return None, req.id_live_preview
    kind = shared.opts.live_previews_image_format
    with io.BytesIO() as buffer:
        image.save(buffer, format=kind)
        text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{kind};base64,{text}", state.id_live_preview


def restore_progress(id_task):
    """Wait for a task and answer its results again."""
    import gradio as gr

    while id_task is not None and (id_task == current_task or id_task in pending_tasks):
        time.sleep(0.1)
    for known, result in recorded_results:
        if known == id_task:
            return result
    unchanged = gr.update()
    return unchanged, unchanged, unchanged, f"Couldn't restore progress for {id_task}: no results"
