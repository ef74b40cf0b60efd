"""What the webui is doing now. Names from A1111 v1.10.1, modules/shared_state.py."""

import datetime
import threading
import time


class State:
    """The current job, its progress, and the requests to stop it."""

    skipped = interrupted = stopping_generation = False
    processing_has_refined_job_count = False
    job, job_timestamp = "", "0"
    job_no = job_count = sampling_step = sampling_steps = 0
    current_latent = current_image = textinfo = time_start = server_start = None
    current_image_sampling_step = id_live_preview = 0

    def __init__(self):
        self.server_start = time.time()
        self._command = None
        self._commanded = threading.Event()

    @property
    def server_command(self):
        """`stop`, `restart` or None."""
        return self._command

    @server_command.setter
    def server_command(self, value):
        self._command = value
        self._commanded.set()

    @property
    def need_restart(self):
        """True while a restart is asked for."""
        return self._command == "restart"

    @need_restart.setter
    def need_restart(self, value):
        if value:
            self.server_command = "restart"

    def wait_for_server_command(self, timeout=None):
        """Wait for a command, forget it and return it; None after `timeout` seconds."""
        if not self._commanded.wait(timeout):
            return None
        self._commanded.clear()
        command, self._command = self._command, None
        return command

    def request_restart(self):
        """Interrupt and reload the UI."""
        self.interrupt()
        self.server_command = "restart"

    def skip(self):
        """Ask to go on with the next picture."""
        self.skipped = True

    def interrupt(self):
        """Ask to stop now."""
        self.interrupted = True

    def stop_generating(self):
        """Ask to stop after the current picture."""
        self.stopping_generation = True

    def nextjob(self):
        """Count one batch as done."""
        self.job_no += 1
        self.sampling_step = self.current_image_sampling_step = 0

    def dict(self):
        """What the progress endpoint tells."""
        names = (
            "skipped interrupted stopping_generation job job_count job_timestamp job_no "
            "sampling_step sampling_steps"
        )
        return {name: getattr(self, name) for name in names.split()}

    def begin(self, job="(unknown)"):
        """Start a job: everything back to its start."""
        self.sampling_step = self.job_no = 0
        self.job_count, self.time_start = -1, time.time()
        self.processing_has_refined_job_count = False
        self.job_timestamp = datetime.datetime.now().strftime("%Y%m%d%H%M%S")
        self.current_latent = self.current_image = self.textinfo = None
        self.current_image_sampling_step = self.id_live_preview = 0
        self.skipped = self.interrupted = self.stopping_generation = False
        self.job = job

    def end(self):
        """End the job."""
        self.job, self.job_count = "", 0

    def set_current_image(self):
        """Nothing to decode: the renderer assigns its pictures itself."""

    def assign_current_image(self, image):
        """Show a picture as live preview."""
        self.current_image = image
        self.id_live_preview += 1
