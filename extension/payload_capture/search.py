"""Full-text search: which words a capture has, and the condition that a query makes.

Both databases get the same words, cut here and by nothing else: letters and digits of any script,
NFKC and case folded; a run of characters that are written without spaces between words (Chinese,
Japanese, Thai) becomes its pairs, so that any piece of it is found; each pictogram is a word.
Every word of a query must be there, as the beginning of a word.

SQLite's FTS5 reads a word's list of captures newest first and stops when the page is full, but for
a beginning it has to merge the lists of every word that begins so. Hence an index of beginnings of
up to `INDEXED` characters, and the table `vocabulary` that names the words of a longer one.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from payload_capture.capture import Capture

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, FromClause

LEXEMES = "array_to_tsvector(string_to_array(documents.words, ' '))"
"""What PostgreSQL's index holds; the migration says it too. Not to_tsvector: its parser cuts words
in a way of its own."""
INDEXED = 3
"""Characters of the longest beginning that SQLite's index holds; the migration says it too."""
MAX_WORD = 64
"""Characters of a word; what is longer is no word, and found by these."""
MAX_WORDS = 4000
"""Words of one capture; the first ones count."""
MAX_ASKED = 32
"""Words of one query."""
MAX_EXPANDED = 100
"""Words that a beginning stands for; beyond, SQLite merges them itself, which is slower."""

_SPACELESS = "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff" + (
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u0670\u06d6-\u06ed\u0900-\u0dff\u0f00-\u109f"
)
_SIGNS = "\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_LETTER = f"[0-9a-z]+|(?![{_SPACELESS}{_SIGNS}])[^\\W_]|[{_MARKS}]"
_WORD = f"(?P<run>[{_SPACELESS}]+)|(?P<sign>[{_SIGNS}])|(?:{_LETTER})+"


def words_of(*texts: str) -> list[str]:
    """The distinct words of texts, in their order, as the index holds them."""
    found: dict[str, None] = {}
    for match in _matches(*texts):
        word = match[0]
        if match.lastgroup == "run":
            found.update(dict.fromkeys([*_pairs(word), word[-1]]))
        else:
            found[word[:MAX_WORD]] = None
        if len(found) >= MAX_WORDS:
            break
    return list(found)[:MAX_WORDS]


def asked(q: str) -> list[str]:
    """The beginnings of words that a query asks for."""
    found: dict[str, None] = {}
    for match in _matches(q):
        pairs = _pairs(match[0]) if match["run"] else []
        found.update(dict.fromkeys(pairs or [match[0][:MAX_WORD]]))
    return list(found)[:MAX_ASKED]


def _matches(*texts: str) -> Iterator[re.Match[str]]:
    for text in texts:
        yield from _word().finditer(unicodedata.normalize("NFKC", text).casefold())


@functools.cache
def _word() -> re.Pattern[str]:
    return re.compile(_WORD)  # 8 ms, which no start of the webui waits for


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]


def text_of(capture: Capture) -> list[str]:
    """What of a capture itself is searched: prompts, model, sampler."""
    texts = [*_strings(capture.resolved), *_strings(_prompts(capture.template))]
    for _, _, payload in capture.requests():
        texts += _strings(_prompts(payload))
    checkpoint = capture.host.checkpoint
    return [*texts, checkpoint.title if checkpoint else ""]


_SEARCHED = re.compile(r"(?:.*_)?prompt|styles|sampler_name|scheduler|upscaler_\d|hr_upscaler")


def _prompts(payload: dict[str, Any]) -> list[Any]:
    return [value for name, value in payload.items() if _SEARCHED.fullmatch(name)]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def finds(q: str, words: Iterable[str]) -> bool:
    """Whether a query finds a capture of these words."""
    known, starts = list(words), asked(q)
    if not starts:
        return not q.strip()
    return all(any(word.startswith(start) for word in known) for start in starts)


# ---- in the database


def stored(words: list[str]) -> str:
    """What the column `words` of `documents` takes."""
    return " ".join(words)


def matching(connection: Connection, starts: list[str]) -> tuple[FromClause, ColumnElement[int]]:
    """Captures with words that start so, each of them: what to join, and its column of numbers."""
    from sqlalchemy import select

    from payload_capture import tables

    if connection.dialect.name == "postgresql":
        return _matching_lexemes(connection, starts)
    match = " AND ".join(_alternatives(connection, start) for start in starts)
    table = tables.search
    found = select(table.c.rowid).where(table.c.search.bool_op("MATCH")(match)).subquery("found")
    return found, found.c.rowid


RARE = 0.0055
"""The part of all captures up to which PostgreSQL fetches every match of a word: a little more than
the 0.005 that it supposes at most of a word whose number it does not know."""


def _matching_lexemes(
    connection: Connection, starts: list[str]
) -> tuple[FromClause, ColumnElement[int]]:
    """Its index cannot be read newest first, and of a beginning it reads all matches. So it is
    asked for the rarest one alone, and only if that is rare; the others are looked for in the
    text. Where none is rare, captures are read newest first until a page is full.
    """
    from sqlalchemy import cast, func, literal, select
    from sqlalchemy.dialects.postgresql import TSQUERY

    from payload_capture import tables

    kept = tables.documents
    *expected, all_of_them = _expected(connection, starts)
    rarest = expected.index(min(expected))
    few = expected[rarest] < RARE * all_of_them
    sought = [start for number, start in enumerate(starts) if not few or number != rarest]
    text = literal(" ") + kept.c.words
    query = select(kept.c.capture).where(*(func.strpos(text, f" {start}") > 0 for start in sought))
    if few:
        asked = cast(_lexeme(starts[rarest]), TSQUERY)
        query = query.where(tables.lexemes.bool_op("@@")(asked))
        # Sorted here, it is planned by itself, and of captures only those of the page are read.
        query = query.order_by(kept.c.capture.desc())
    found = query.subquery("found")
    return found, found.c.capture


def _expected(connection: Connection, starts: list[str]) -> list[float]:
    """How many documents PostgreSQL thinks that each beginning finds, and that there are."""
    from sqlalchemy import text

    one = "SELECT 1 FROM documents"
    found = [f"{one} WHERE {LEXEMES} @@ CAST(:a{n} AS TSQUERY)" for n in range(len(starts))]
    explain = text(f"EXPLAIN (FORMAT JSON) {' UNION ALL '.join([*found, one])}")
    asked = {f"a{number}": _lexeme(start) for number, start in enumerate(starts)}
    (plan,) = connection.execute(explain, asked).scalar_one()
    return [float(part["Plan Rows"]) for part in plan["Plan"]["Plans"]]


def _lexeme(start: str) -> str:
    return f"'{start}':*"


def _alternatives(connection: Connection, start: str) -> str:
    if len(start) <= INDEXED:
        return f'"{start}"*'
    words = _beginning(connection, start)
    if len(words) > MAX_EXPANDED:
        return f'"{start}"*'
    return "(" + " OR ".join(f'"{word}"' for word in words or [start]) + ")"


def _beginning(connection: Connection, start: str) -> list[str]:
    from sqlalchemy import select

    from payload_capture import tables

    word = tables.vocabulary.c.word
    query = select(word).where(word >= start, word < start + "\U0010ffff")
    return list(connection.execute(query.limit(MAX_EXPANDED + 1)).scalars())


def learn(connection: Connection, words: Iterable[str]) -> None:
    """Add to the vocabulary. Does nothing where there is none."""
    long = [{"word": word} for word in words if len(word) > INDEXED]
    if connection.dialect.name == "sqlite" and long:
        from payload_capture import tables

        connection.execute(tables.vocabulary.insert().prefix_with("OR IGNORE"), long)


def unlearn(connection: Connection, words: Iterable[str]) -> None:
    """Take from the vocabulary what no capture has any more."""
    if connection.dialect.name != "sqlite":
        return
    from sqlalchemy import text

    from payload_capture import tables

    query = text("SELECT 1 FROM search WHERE search MATCH :word LIMIT 1")
    for word in words:
        if len(word) > INDEXED and not connection.execute(query, {"word": f'"{word}"'}).first():
            gone = tables.vocabulary.delete().where(tables.vocabulary.c.word == word)
            connection.execute(gone)
