"""The words that the shapes list are those of whoever uses them."""

from __future__ import annotations

import typing

from payload_capture import shapes
from payload_capture.capture import Source
from payload_capture.documents import KINDS
from payload_capture.shared import export
from payload_replay.replay import Verdict


def test_kinds_are_those_of_the_store() -> None:
    assert shapes.KINDS == KINDS


def test_sources_are_those_of_the_format() -> None:
    assert typing.get_args(Source) == shapes.SOURCES


def test_verdicts_are_those_of_a_replay() -> None:
    assert typing.get_args(Verdict) == shapes.VERDICTS


def test_forms_are_those_of_the_exporter() -> None:
    (form,) = (one for one in shapes.EXPORT if one.name == "format")
    assert form.schema["enum"] == list(export.FORMATS)
