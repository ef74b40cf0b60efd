"""Takes `# comments` out of prompts. Title and rule: A1111 v1.10.1."""

import re

from modules import scripts, shared


def strip_comments(text):
    """The text without everything from a # to the end of its line."""
    text = re.sub("(^|\n)#[^\n]*(\n|$)", "\n", text)
    return re.sub("#[^\n]*(\n|$)", "\n", text)


class ScriptComments(scripts.Script):
    """No controls; acts on all prompts."""

    def title(self):
        return "Comments"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def process(self, p, *args):
        if not shared.opts.enable_prompt_comments:
            return
        for name in (
            "all_prompts",
            "all_negative_prompts",
            "all_hr_prompts",
            "all_hr_negative_prompts",
        ):
            texts = getattr(p, name, None)
            if texts:
                setattr(p, name, [strip_comments(text) for text in texts])
        p.main_prompt, p.main_negative_prompt = (
            strip_comments(p.main_prompt),
            strip_comments(p.main_negative_prompt),
        )
