"""Embeddings: words of a prompt that name a file. Names: A1111 v1.10.1,
modules/textual_inversion/textual_inversion.py.
"""

import os
import re

from modules import hashes, shared

_ENDINGS = (".pt", ".bin", ".safetensors", ".png", ".webp")
SHAPE = 768  # numbers in each vector, as SD 1 has them


class Embedding:
    """One file."""

    step = sd_checkpoint = sd_checkpoint_name = None
    shape, vectors = SHAPE, 1

    def __init__(self, filename):
        self.filename, self.name = filename, os.path.splitext(os.path.basename(filename))[0]
        self.hash = hashes.sha256(filename, f"textual_inversion/{self.name}")
        self.shorthash = self.hash[:12]


class EmbeddingDatabase:
    """All embeddings of some folders, by name."""

    def __init__(self):
        self.word_embeddings, self.skipped_embeddings = {}, {}
        self.embedding_dirs, self._times = {}, None

    def add_embedding_dir(self, path):
        """Look into this folder as well."""
        self.embedding_dirs[path] = path

    def load_textual_inversion_embeddings(self, force_reload=False):
        """Read the folders again if asked, or if one has changed; empty files are left out."""
        times = {
            path: os.stat(path).st_mtime_ns for path in self.embedding_dirs if os.path.isdir(path)
        }
        if times == self._times and not force_reload:
            return
        self._times = times
        found = [
            Embedding(path)
            for folder in self.embedding_dirs
            if os.path.isdir(folder)
            for path in shared.walk_files(folder, _ENDINGS)
            if os.path.getsize(path)
        ]
        found.sort(key=lambda embedding: embedding.name.lower())
        self.word_embeddings.clear()
        self.word_embeddings.update({embedding.name: embedding for embedding in found})

    def used_in(self, text):
        """The embeddings that a prompt names, whatever the case, in the order of their names."""
        return [
            embedding
            for name, embedding in self.word_embeddings.items()
            if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)
        ]


def note(p, database):
    """What the infotext says about the embeddings in use."""
    texts = [*p.prompts, *p.negative_prompts]
    used = {item.name: item for text in texts for item in database.used_in(text)}
    if used and shared.opts.textual_inversion_add_hashes_to_infotext:
        p.extra_generation_params["TI hashes"] = ", ".join(
            f"{re.sub('[:,]', '', name)}: {item.shorthash}" for name, item in used.items()
        )
