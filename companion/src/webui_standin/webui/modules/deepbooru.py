"""The name under which extensions find the tagger: A1111 v1.10.1, modules/deepbooru.py."""

from modules import captions


class DeepDanbooru:
    """Tags pictures; nothing is loaded."""

    def start(self):
        """Nothing to load."""

    def stop(self):
        """Nothing to unload."""

    def tag(self, pil_image):
        """Tags, separated by commas."""
        return captions.tags(pil_image)

    tag_multi = tag


model = DeepDanbooru()
