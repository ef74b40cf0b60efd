"""Prompt styles from CSV files. Contract: A1111 v1.10.1, modules/styles.py."""

import csv
import glob
import os
from pathlib import Path
from typing import NamedTuple

from modules import errors


class PromptStyle(NamedTuple):
    """A named pair of prompt texts; `{prompt}` in a text stands for what the user wrote."""

    name: str
    prompt: str | None
    negative_prompt: str | None
    path: str | None = None


def merge_prompts(style_prompt, prompt):
    """Put the prompt into the style's text, or the style's text behind the prompt."""
    if "{prompt}" in style_prompt:
        return style_prompt.replace("{prompt}", prompt)
    return ", ".join(text for text in (prompt.strip(), style_prompt.strip()) if text)


def apply_styles_to_prompt(prompt, styles):
    """Apply several style texts in order."""
    for style in styles:
        prompt = merge_prompts(style or "", prompt)
    return prompt


class StyleDatabase:
    """All styles of the given files; unknown names change nothing."""

    def __init__(self, paths):
        self.paths = [str(path) for path in paths]
        self.no_style = PromptStyle("None", "", "", None)
        self.default_path = Path(self.paths[0])
        self.styles = {}
        self.reload()

    def reload(self):
        """Read the files again."""
        self.styles.clear()
        for pattern in self.paths:
            for path in sorted(glob.glob(pattern)):
                self.load_from_csv(path)

    def load_from_csv(self, path):
        """Add the styles of one file."""
        try:
            with open(path, encoding="utf-8-sig", newline="") as file:
                for row in csv.DictReader(file, skipinitialspace=True):
                    self._add(row, str(path))
        except Exception:
            errors.report(f"Error loading styles from {path}: ", exc_info=True)

    def _add(self, row, path):
        if row and not row["name"].startswith("#"):
            text = row["prompt"] if "prompt" in row else row["text"]
            self.styles[row["name"]] = PromptStyle(
                row["name"], text, row.get("negative_prompt", ""), path
            )

    def get_style_prompts(self, styles):
        """The positive texts of these names."""
        return [self.styles.get(name, self.no_style).prompt for name in styles]

    def get_negative_style_prompts(self, styles):
        """The negative texts of these names."""
        return [self.styles.get(name, self.no_style).negative_prompt for name in styles]

    def apply_styles_to_prompt(self, prompt, styles):
        """Apply the positive texts of these names."""
        return apply_styles_to_prompt(prompt, self.get_style_prompts(styles))

    def apply_negative_styles_to_prompt(self, prompt, styles):
        """Apply the negative texts of these names."""
        return apply_styles_to_prompt(prompt, self.get_negative_style_prompts(styles))

    def save_styles(self, path=None):
        """Write all styles to the first file."""
        os.makedirs(self.default_path.parent, exist_ok=True)
        with open(self.default_path, "w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["name", "prompt", "negative_prompt"])
            writer.writerows(style[:3] for style in self.styles.values())

    def extract_styles_from_prompt(self, prompt, negative_prompt):
        """Find styles whose texts lie in the prompts: names, and the prompts without them."""
        found, waiting = (
            [],
            [style for style in self.styles.values() if style.prompt or style.negative_prompt],
        )
        hit = True
        while hit:
            hit = False
            for style in waiting:
                texts = (
                    _without(style.prompt, prompt),
                    _without(style.negative_prompt, negative_prompt),
                )
                if None not in texts:
                    prompt, negative_prompt = texts
                    found.insert(0, style.name)
                    waiting.remove(style)
                    hit = True
                    break
        return found, prompt, negative_prompt


def _without(style_text, prompt):
    """The prompt without a style's text, or None if the text isn't in it."""
    text, prompt = (style_text or "").strip(), prompt.strip()
    before, braces, behind = text.partition("{prompt}")
    if braces:
        fits = prompt.startswith(before) and prompt.endswith(behind)
        return prompt[len(before) : len(prompt) - len(behind)] if fits else None
    return prompt[: len(prompt) - len(text)].removesuffix(", ") if prompt.endswith(text) else None
