"""What changes of a stored capture: title, note, tags, star, verdict, trash."""

from __future__ import annotations

import pytest

from payload_capture.records import MAX_TAG, MAX_TAGS
from payload_capture.store import NotFoundError, Store
from stored import make, picture, sha256_of

pytestmark = pytest.mark.once


def test_an_edit_changes_what_is_given_and_counts(either: Store) -> None:
    either.add(*make(1))
    before = either.summary("c1")
    made = either.edit("c1", title="a title", starred=True)
    assert made == before | {"title": "a title", "starred": True, "revision": 2}
    made = either.edit("c1", note="n\x00ote \ud800", tags=["b  b", "a", "a"], starred=False)
    assert (made["title"], made["note"], made["tags"]) == ("a title", "note ?", ["a", "b b"])
    assert (made["starred"], made["revision"]) == (False, 3)
    made = either.edit("c1", verdict="different", reason="another sampler")
    assert (made["verdict"], made["reason"]) == ("different", "another sampler")
    assert either.edit("c1", title="", tags=[])["tags"] == []
    assert either.page().captures == [either.summary("c1")]
    assert either.get("c1") == make(1)[0]


def test_an_edit_that_is_refused_changes_nothing(either: Store) -> None:
    either.add(*make(1))
    for tags in (["ok", ""], ["x" * (MAX_TAG + 1)], [str(n) for n in range(MAX_TAGS + 1)]):
        with pytest.raises(ValueError, match="tags: "):
            either.edit("c1", title="new", tags=tags)
    assert (either.summary("c1")["title"], either.summary("c1")["revision"]) == ("", 1)


def test_tags_are_counted_outside_of_the_trash(either: Store) -> None:
    for number in range(3):
        either.add(*make(number))
        either.edit(f"c{number}", tags=["all", f"only {number}"])
    either.trash("c0")
    assert either.tags() == {"all": 2, "only 1": 1, "only 2": 1}
    either.delete("c1")
    assert either.tags() == {"all": 1, "only 2": 1}


def test_the_trash_can_be_undone(either: Store) -> None:
    either.add(*make(1))
    either.trash("c1")
    assert either.page().captures == []
    trashed = either.summary("c1")
    assert trashed["trashed"] is not None
    either.trash("c1")
    assert either.summary("c1") == trashed, "what lies there already keeps its time"
    assert either.get("c1") == make(1)[0]
    either.restore("c1")
    either.restore("c1")
    (row,) = either.page().captures
    assert (row["trashed"], row["revision"]) == (None, 3)


def test_the_latest_of_a_user(either: Store) -> None:
    for number, user in enumerate(("ann", "bob", "ann", None)):
        either.add(*make(number, job={"user": user}))
    assert either.latest().id == "c3"
    assert either.latest("bob").id == "c1"
    either.trash("c2")
    assert either.latest("ann").id == "c0"
    with pytest.raises(NotFoundError, match="latest"):
        either.latest("eve")


def test_unknown_ids(either: Store) -> None:
    for call in (either.edit, either.trash, either.restore, either.summary, either.forget):
        with pytest.raises(NotFoundError):
            call("nothing")


def test_a_file_that_was_promised_outlives_the_capture_that_has_it_in_any_process(
    either: Store, tmp_path: pytest.TempPathFactory
) -> None:
    made, files = make(1)
    either.add(made, files)
    maker = Store(either.folder, either.database.url)
    maker.keep(files)
    either.delete("c1")
    maker.add(made, {})
    maker.close()
    assert either.asset(sha256_of(picture(1)))[1] == picture(1)
    assert either.verify() == []
