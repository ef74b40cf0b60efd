"""Comments and embeddings of the text encoder. Names from A1111 v1.10.1, modules/sd_hijack.py."""

from modules.shared_cmd_options import cmd_opts
from modules.textual_inversion.textual_inversion import EmbeddingDatabase


class StableDiffusionModelHijack:
    """What extensions read from `model_hijack`."""

    def __init__(self):
        self.embedding_db = EmbeddingDatabase()
        self.embedding_db.add_embedding_dir(cmd_opts.embeddings_dir)
        self.comments, self.extra_generation_params = [], {}

    def clear_comments(self):
        """Forget comments and parameters of the job before."""
        self.comments, self.extra_generation_params = [], {}

    def get_prompt_lengths(self, text):
        """Words of a prompt, and the next multiple of 75."""
        count = len(text.replace(",", " , ").split())
        return count, max(1, -(-count // 75)) * 75

    def apply_circular(self, enable):
        """The renderer reads tiling itself."""

    def redo_hijack(self, model):
        """Nothing to redo."""


model_hijack = StableDiffusionModelHijack()
optimizers = []
