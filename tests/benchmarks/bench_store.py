"""What a large store costs: pages, search, one capture, an insert; and its bytes per capture.

    python tests/benchmarks/bench_store.py [--captures N] [--rounds N] [--database NAME]

The captures are synthetic, but for the first one, which a stand-in makes: its prompts, seed and
hashes are varied, words being as frequent as in a language. From `WRITTEN` on, rows are copied
within the database, with other ids, times and hashes: all but their documents is as if they had
been written. What is measured goes through the store as the extension uses it. PostgreSQL is a
server of its own with its usual settings, on the same machine.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [
    str(ROOT / folder) for folder in ("extension", "companion", "companion/src", "tests")
]

import requests  # noqa: E402

from payload_capture import documents, entries, search, tables  # noqa: E402
from payload_capture.capture import Asset, Capture  # noqa: E402
from payload_capture.store import Filters, Store  # noqa: E402
from postgres import Postgres  # noqa: E402
from webui_standin import Process  # noqa: E402

if TYPE_CHECKING:
    from sqlalchemy import Connection

DATABASES = ("sqlite", "postgresql")
AIMS = {"insert": 5.0}
AIM = 20.0
"""Milliseconds at p95."""
BYTES = 2048
"""The aim of bytes per capture, pictures left out."""
POOL = 2000
"""Different documents; each is used again with another id, time and pictures."""
WORDS = 20_000
RARE, COMMON = "zyzzyva", "masterpiece"
AT_ONCE = 1000
WRITTEN = 20_000
"""Captures whose documents can be read; beyond, rows are copied."""
COPIED = 50_000
"""Rows that are copied in one transaction."""


def model() -> Capture:
    """A capture as the extension makes it of a plain txt2img."""
    job = {"prompt": "a cat", "steps": 20, "width": 64, "height": 64, "seed": 1}
    with Process(extensions={"sd-webui-payload-capture": ROOT}) as host:
        requests.post(f"{host.url}/sdapi/v1/txt2img", json=job, timeout=60).raise_for_status()
        answer = requests.get(f"{host.url}/payload-capture/v1/captures/latest", timeout=60)
    return Capture.from_json(answer.text)


class Prompts:
    """Prompts of words whose frequency falls with their rank, as in every language."""

    def __init__(self, random: random.Random) -> None:
        letters = "etaoinshrdlucmfwypvbgk"
        made = {"".join(random.choices(letters, k=random.randint(3, 9))) for _ in range(2 * WORDS)}
        self._words = sorted(made)[:WORDS]
        random.shuffle(self._words)
        weights = (1 / (rank + 2) for rank in range(len(self._words)))
        self._weights = list(itertools.accumulate(weights))
        self._random = random

    def one(self, count: int) -> str:
        return ", ".join(self._random.choices(self._words, cum_weights=self._weights, k=count))


def varied(model: Capture, number: int, prompts: Prompts, random: random.Random) -> Capture:
    """Another capture of the same host: some 45 words of prompts, one picture and its thumbnail."""
    prompt, negative = f"{COMMON}, {prompts.one(30)}", prompts.one(15)
    if number % (POOL // 2) == 0:
        prompt += f", {RARE}{number}"
    seed = random.randrange(2**32)
    first = model.results[0]
    infotext = f"{prompt}\nNegative prompt: {negative}\n{first.infotext.splitlines()[-1]}"
    names = [random.randbytes(32).hex() for _ in range(3)]
    result = dataclasses.replace(
        first, sha256=names[0], seed=seed, infotext=infotext, asset=names[1], thumbnail=names[2]
    )
    payload = {**model.payload, "prompt": prompt, "negative_prompt": negative, "seed": seed}
    users = ("ann", "bob", None)
    return dataclasses.replace(
        model,
        id=f"20261126T020000-{number:08x}",
        job=dataclasses.replace(model.job, user=users[number % len(users)]),
        payload=payload,
        results=[result],
        assets={names[1]: Asset("image/png", 400_000, 512, 512)}
        | {names[2]: Asset("image/webp", 8_000, 256, 256)},
    )


def fill(
    store: Store, captures: list[Capture], count: int, written: int, random: random.Random
) -> None:
    """Rows as `Store.add` makes them, without files, a thousand in one transaction; copies of rows
    from the number `written` on."""
    ready = prepared(store, captures)
    begun = time.perf_counter()
    written = min(count, written)
    for start in range(len(captures) + 1, written + 1, AT_ONCE):
        seqs = range(start, min(start + AT_ONCE, written + 1))
        made = [another(ready[seq % len(ready)], seq, random) for seq in seqs]
        with store.database.write() as connection:
            insert(connection, made)
    count_on(store)
    while written < count:
        with store.database.write() as connection:
            more = min(written, COPIED, count - written)
            copy(connection, written, more)
        written += more
    print(f"  filled in {time.perf_counter() - begun:.0f} s", flush=True)


def copy(connection: Connection, written: int, count: int) -> None:
    """Copy the first `count` rows of each table behind those that are written."""
    from sqlalchemy import text

    postgres = connection.dialect.name == "postgresql"
    hashed = "sha256(random()::text::bytea)" if postgres else "randomblob(32)"
    new_id = "lpad(to_hex(seq + :n), 8, '0')" if postgres else "printf('%08x', seq + :n)"
    changed = {"seq": "seq + :n", "id": f"'20261126T030000-' || {new_id}"}
    changed |= {"at": "at + 1000 * CAST(:n AS BIGINT)", "thumbnail": hashed}
    values = {"n": written, "count": count}
    own = [f'"{column.name}"' for column in tables.captures.columns]
    made = [changed.get(column.name, f'"{column.name}"') for column in tables.captures.columns]
    for statement in (
        f"INSERT INTO captures ({', '.join(own)}) SELECT {', '.join(made)} FROM captures"
        " WHERE seq <= :count",
        "INSERT INTO documents (capture, dictionary, packed, words)"
        " SELECT capture + :n, dictionary, packed, words FROM documents WHERE capture <= :count",
        "INSERT INTO assets (sha256, capture, media_type, size)"
        f" SELECT {hashed}, capture + :n, media_type, size FROM assets WHERE capture <= :count",
    ):
        bound = {name: value for name, value in values.items() if f":{name}" in statement}
        connection.execute(text(statement), bound)


class Ready(NamedTuple):
    """A capture's rows, of which others are made."""

    row: dict[str, Any]
    text: bytes
    words: list[str]
    names: list[str]
    dictionary: tuple[int, bytes]
    origins: list[int]


def prepared(store: Store, captures: list[Capture]) -> list[Ready]:
    """Add the captures; their rows."""
    dictionaries, origins = tables.dictionaries, tables.origins
    with store.database.write() as connection:
        for capture in captures:
            entries.add(connection, entries.Entry.of(capture, None))
        found = connection.execute(dictionaries.select()).one()
        numbers = list(connection.execute(origins.select()).scalars())
    return [
        Ready(
            {k: v for k, v in documents.row(capture, None).items() if k not in documents.ORIGIN},
            documents.text(capture),
            search.words_of(*search.text_of(capture)),
            list(capture.assets),
            (found.number, found.data),
            numbers,
        )
        for capture in captures
    ]


def another(ready: Ready, seq: int, random: random.Random) -> tuple[dict[str, Any], ...]:
    """(row of `captures`, of `documents`, of `assets`, of `assets`): other id, time and hashes."""
    names = [random.randbytes(32).hex() for _ in ready.names]
    row = ready.row | {"seq": seq, "id": f"20261126T030000-{seq:08x}", "thumbnail": names[-1]}
    row |= {"at": row["at"] + seq * 1000, "origin": ready.origins[seq % len(ready.origins)]}
    text = ready.text.replace(ready.row["id"].encode(), row["id"].encode())
    for old, new in zip(ready.names, names, strict=True):
        text = text.replace(old.encode(), new.encode())
    number, dictionary = ready.dictionary
    document = {"capture": seq, "dictionary": number, "words": search.stored(ready.words)}
    document["packed"] = documents.pack(text, dictionary, row)
    kept = {"capture": seq, "media_type": "image/png", "size": 200_000}
    return row, document, *({"sha256": name, **kept} for name in names)


def count_on(store: Store) -> None:
    """Let PostgreSQL's sequence go on behind the numbers that were given."""
    from sqlalchemy import text

    with store.database.write() as connection:
        if connection.dialect.name == "postgresql":
            name = "pg_get_serial_sequence('captures', 'seq')"
            last = "(SELECT max(seq) FROM captures)"
            connection.execute(text(f"SELECT setval({name}, {last})"))


def insert(connection: Connection, made: list[tuple[dict[str, Any], ...]]) -> None:
    connection.execute(tables.captures.insert(), [each[0] for each in made])
    connection.execute(tables.documents.insert(), [each[1] for each in made])
    connection.execute(tables.assets.insert(), [asset for each in made for asset in each[2:]])


class Times(NamedTuple):
    """Milliseconds of each call, sorted: until it returned, and of those this thread computed."""

    passed: list[float]
    computed: list[float]


def measured(rounds: int, act: Callable[[int], Any]) -> Times:
    """The first three calls are not counted."""
    passed, computed = [], []
    for number in range(-3, rounds):
        begun, begun_here = time.perf_counter(), time.thread_time()
        act(number)
        if number >= 0:
            passed.append((time.perf_counter() - begun) * 1000)
            computed.append((time.thread_time() - begun_here) * 1000)
    return Times(sorted(passed), sorted(computed))


def part(times: list[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))]


def report(name: str, times: Times) -> None:
    aim = AIMS.get(name, AIM)
    p50, p95 = part(times.passed, 0.5), part(times.passed, 0.95)
    own = f"computing here {part(times.computed, 0.5):.2f} / {part(times.computed, 0.95):.2f}"
    said = "" if p95 < aim else "  MISSED"
    print(
        f"  {name:28} p50 {p50:8.2f} ms, p95 {p95:8.2f} ms (aim {aim:g}), {own}{said}", flush=True
    )


def disk(folder: Path, rounds: int) -> None:
    """What it costs that a block is on the disk: no commit that waits for it takes less."""
    with (folder / "block").open("wb", buffering=0) as file:

        def write(number: int) -> None:
            file.write(bytes(8192))
            os.fsync(file.fileno())

        times = measured(rounds, write)
    p50, p95 = part(times.passed, 0.5), part(times.passed, 0.95)
    print(f"  {'8 KiB to the disk (fsync)':28} p50 {p50:8.2f} ms, p95 {p95:8.2f} ms", flush=True)


def load() -> None:
    averages = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"  load of the machine: {averages}", flush=True)


def acts(store: Store, captures: list[Capture], count: int) -> Iterator[tuple[str, Any]]:
    """What is measured, by name."""
    chance = random.Random(2)
    word = min(captures[7].payload["prompt"].split(", "), key=len)

    def page(**filters: Any) -> Callable[[int], Any]:
        return lambda number: store.page(50, filters=Filters(**filters))

    def deep(number: int) -> None:
        assert store.page(50, cursor=str(chance.randrange(60, count))).captures

    def one(number: int) -> None:
        seq = chance.randrange(len(captures) + 1, min(count, WRITTEN))
        store.get(f"20261126T030000-{seq:08x}" if count > len(captures) else captures[0].id)

    yield "newest page", page()
    yield "deep page", deep
    yield "one capture", one
    yield "search: rare word", page(q=RARE)
    yield "search: common word", page(q=COMMON)
    yield "search: common and rare", page(q=f"{COMMON} {RARE}0")
    yield "search: a frequent word", page(q=word)
    yield "search: one letter", page(q="m")
    yield "search: no such word", page(q="qqqqqqq")
    yield "page of one user", page(user="bob")
    yield "page of one kind, none", page(kind="batch")
    yield "page since", page(since="2026-11-26T00:00:00Z")
    yield "page until", page(until="2026-11-26T06:00:00Z")


def inserts(
    store: Store, model: Capture, prompts: Prompts, rounds: int, files: bool
) -> Callable[[int], Any]:
    chance = random.Random(3 + files)
    first = 0x40000000 + files * 0x10000000
    ready = [varied(model, first + number, prompts, chance) for number in range(rounds + 3)]
    if not files:
        return lambda number: store.add(ready[number + 3], {})
    data = {size: random.Random(size).randbytes(size) for size in (400_000, 8_000)}
    given = [{n: data[a.size] for n, a in capture.assets.items()} for capture in ready]
    return lambda number: store.add(ready[number + 3], given[number + 3])


def size_of(store: Store) -> int:
    """Bytes of the database, indexes and all."""
    from sqlalchemy import text

    with store.database.read() as connection:
        if connection.dialect.name == "postgresql":
            return int(
                connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
            )
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        return int(pages * connection.execute(text("PRAGMA page_size")).scalar_one())


def settle(store: Store) -> None:
    """What a database does by itself sooner or later."""
    from sqlalchemy import text

    with store.database.outside() as connection:
        postgres = connection.dialect.name == "postgresql"
        connection.execute(
            text("VACUUM ANALYZE" if postgres else "PRAGMA wal_checkpoint(TRUNCATE)")
        )


def bench(store: Store, model: Capture, count: int, rounds: int) -> None:
    chance = random.Random(1)
    prompts = Prompts(chance)
    empty = size_of(store)
    captures = [varied(model, n, prompts, chance) for n in range(min(POOL, count))]
    fill(store, captures, count, WRITTEN, chance)
    count_on(store)
    settle(store)
    load()
    disk(store.folder, rounds)
    each = (size_of(store) - empty) / count
    said = "" if each < BYTES else "  MISSED"
    print(f"  {count:,} captures, {each:,.0f} bytes each (aim {BYTES}){said}", flush=True)
    for name, act in acts(store, captures, count):
        report(name, measured(rounds, act))
    report("insert", measured(rounds, inserts(store, model, prompts, rounds, False)))
    report(
        "insert with 408 kB of files",
        measured(rounds, inserts(store, model, prompts, rounds, True)),
    )
    load()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captures", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--database", choices=DATABASES, action="append")
    parser.add_argument("--folder", type=Path, help="where the store is made; removed afterwards")
    options = parser.parse_args(arguments)
    capture = model()
    for database in options.database or DATABASES:
        print(database, flush=True)
        folder = Path(tempfile.mkdtemp(dir=options.folder))
        server = Postgres(durable=True) if database == "postgresql" else None
        store = Store(folder, server.database() if server else None)
        try:
            bench(store, capture, options.captures, options.rounds)
        finally:
            store.close()
            shutil.rmtree(folder)
            if server:
                server.close()


if __name__ == "__main__":
    main()
