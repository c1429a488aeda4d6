"""Verifying: what is intact has no finding, and everything that is spoilt is found and named."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.errors import LibraryError
from index.forgetting import forget_source
from index.manifest import MANIFEST_NAME, create_library, random_rotation, read_manifest
from index.problems import ProblemKind, VerifyProgress
from index.shard import staging_area
from index.two_level import write_rotated
from index.vectors import write_bits
from index.verification import verify_library
from tests.index import corruptions as spoil
from tests.index.build import DIMS, IDENTITY, source_id, unit_rows
from tests.index.corruptions import (
    DOCUMENT,
    OTHER_VIDEO,
    VIDEO,
    add,
    altered,
    cut,
    damage,
    make_talk,
    sealed,
    shard_of,
    sql,
)

Spoil = Callable[[Path], object]


@pytest.mark.parametrize("deep", [False, True])
def test_an_intact_library_has_no_problem(intact: Path, deep: bool) -> None:
    seen: list[VerifyProgress] = []
    found = verify_library(intact, deep=deep, listener=seen.append)
    assert found.problems == ()
    assert found.ok
    assert (found.shards, found.sources, found.moments) == (3, 3, 27)
    assert seen[-1].read_bytes == seen[-1].total_bytes == found.size_bytes
    assert found.files == len({one.where for one in seen})


def test_what_is_read_again_since_the_library_changed_counts_once(copied: Path) -> None:
    seen: list[VerifyProgress] = []

    def tell(progress: VerifyProgress) -> None:
        """Forget a source when all shards were read."""
        seen.append(progress)
        if progress.where.startswith("links-") and len(read_manifest(copied).shards) == 3:
            forget_source(copied, source_id(OTHER_VIDEO))

    found = verify_library(copied, listener=tell)
    shards = read_manifest(copied).shards
    tables = read_manifest(copied).tables
    held = [size for one in shards for size, _ in one.files.values()]
    held += [size for size, _ in tables.values()]
    assert (found.shards, found.files, found.size_bytes) == (2, len(held), sum(held))
    assert seen[-1].read_bytes == seen[-1].total_bytes == sum(held)


def test_an_empty_library_has_no_problem_and_no_library_is_an_error(tmp_path: Path) -> None:
    create_library(tmp_path / "new", IDENTITY)
    assert verify_library(tmp_path / "new").problems == ()
    with pytest.raises(LibraryError, match="is not a library"):
        verify_library(tmp_path)


# --- bytes ---------------------------------------------------------------------------------------


def _bytes_of(name: str, place: int = 0) -> Spoil:
    """Change a byte of a file of the library."""

    def change(library: Path) -> None:
        [path] = library.glob(name)
        spoil.flip(path, place or path.stat().st_size // 2)

    return change


def _manifest(old: str, new: str) -> Spoil:
    def change(library: Path) -> None:
        path = library / MANIFEST_NAME
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


def _removed(name: str) -> Spoil:
    return lambda library: (shard_of(library, VIDEO) / name).unlink()


def _linked(library: Path) -> None:
    path = shard_of(library, VIDEO) / "pictures.bin"
    os.rename(path, library.parent / "elsewhere")
    path.symlink_to(library.parent / "elsewhere")


CATALOG, CHANGED, MISSING = ProblemKind.CATALOG, ProblemKind.CHANGED, ProblemKind.MISSING
BYTES: dict[str, tuple[Spoil, ProblemKind, str]] = {
    "catalog": (altered("catalog.duckdb"), CHANGED, "catalog.duckdb"),
    "moments": (altered("moments.ivf"), CHANGED, "moments.ivf"),
    "segments": (altered("segments.npy"), CHANGED, "segments.npy"),
    "cosines": (altered("cosines.npy"), CHANGED, "cosines.npy"),
    "pictures": (altered("pictures.bin"), CHANGED, "pictures.bin"),
    "words": (altered("lexical/*.term"), CHANGED, ".term"),
    "words' list": (altered("lexical/meta.json"), CHANGED, "lexical/meta.json"),
    "inventory": (_bytes_of("inventory-*"), CHANGED, "inventory-"),
    "links": (_bytes_of("links-*"), CHANGED, "links-"),
    "metadata": (_bytes_of("metadata-*"), CHANGED, "metadata-"),
    "rotation": (_bytes_of("rotation.npy"), ProblemKind.ROTATION, "rotation.npy"),
    "truncated": (cut("moments.ivf"), CHANGED, "moments.ivf"),
    "truncated words": (cut("lexical/meta.json"), CHANGED, "lexical/meta.json"),
    "missing catalog": (_removed("catalog.duckdb"), MISSING, "catalog.duckdb"),
    "missing pictures": (_removed("pictures.bin"), MISSING, "pictures.bin"),
    "missing words": (
        lambda library: shutil.rmtree(shard_of(library, VIDEO) / "lexical"), MISSING, "lexical/",
    ),
    "missing shard": (
        lambda library: shutil.rmtree(shard_of(library, VIDEO)), MISSING, "catalog.duckdb",
    ),
    "missing links": (lambda library: next(library.glob("links-*")).unlink(), MISSING, "links-"),
    "missing rotation": (
        lambda library: (library / "rotation.npy").unlink(), ProblemKind.ROTATION, "rotation.npy",
    ),
    "a link": (_linked, CHANGED, "pictures.bin"),
    "swapped shards": (spoil.swapped, CHANGED, "catalog.duckdb"),
    "edited manifest": (
        _manifest('"outlier_share": 0.05', '"outlier_share": 0.06'), ProblemKind.MANIFEST, "mani",
    ),
    "spaces in the manifest": (
        _manifest('"outlier_share": ', '"outlier_share":  '), ProblemKind.MANIFEST, "manifest",
    ),
    "no manifest any more": (_manifest("{", "["), ProblemKind.MANIFEST, "manifest.json"),
    "manifest of other types": (
        _manifest('"moments": 12', '"moments": "12"'), ProblemKind.MANIFEST, "manifest.json",
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", BYTES)
def test_changed_bytes_are_found_and_named(way: str, copied: Path) -> None:
    change, kind, where = BYTES[way]
    change(copied)
    found = damage(copied)
    assert [one for one in found if one.kind is kind and where in one.where], found
    # What is whole is not accused.
    assert not [one for one in found if source_id(DOCUMENT) in one.sources]


def test_a_picture_that_does_not_decode_is_found_when_all_are_decoded(copied: Path) -> None:
    path = shard_of(copied, VIDEO) / "pictures.bin"
    content = bytearray(path.read_bytes())
    content[2:200] = bytes(198)
    path.write_bytes(content)
    sealed(copied)
    assert damage(copied) == []
    [found] = damage(copied, deep=True)
    assert (found.kind, found.sources) == (ProblemKind.PICTURES, (source_id(VIDEO),))


def test_every_problem_is_told_not_the_first_only(copied: Path) -> None:
    sql("DELETE FROM words WHERE moment = 3", "UPDATE moments SET segment = 77 WHERE moment = 1")(
        copied
    )
    altered("pictures.bin", OTHER_VIDEO)(copied)
    altered("cosines.npy", OTHER_VIDEO)(copied)
    _bytes_of("inventory-*")(copied)
    found = damage(copied)
    assert {(one.kind, one.where.rpartition("/")[2].partition("-")[0]) for one in found} == {
        (CATALOG, "catalog.duckdb"),
        (CHANGED, "pictures.bin"),
        (CHANGED, "cosines.npy"),
        (CHANGED, "inventory"),
    }
    assert len(found) >= 5
    for one in found:
        assert one.advice
        assert str(one) == f"{one.where}: {one.what}; {one.advice}"


# --- strays --------------------------------------------------------------------------------------


def test_strays_are_told_apart_from_damage(copied: Path) -> None:
    left = {
        "shards/orphan", "inventory-00000099.duckdb", "manifest.json.new", "staging/dead", "notes",
        shard_of(copied, VIDEO).relative_to(copied).as_posix() + "/extra.bin",
    }  # fmt: skip
    for name in left:
        (copied / name).mkdir() if name in ("shards/orphan", "staging/dead") else (
            copied / name
        ).touch()
    with staging_area(copied) as area:
        # Opening the area sweeps; these are put back beside the living writer.
        for name in ("shards/orphan", "staging/dead"):
            (copied / name).mkdir()
        (copied / "manifest.json.new").touch()
        (copied / "inventory-00000099.duckdb").touch()
        (area / "half").mkdir()
        found = verify_library(copied)
    assert found.ok
    assert {one.where for one in found.problems} == left
    assert all(one.kind is ProblemKind.STRAY for one in found.problems)


# --- 1-bit codes, and bytes at random ------------------------------------------------------------


def test_1_bit_codes_of_other_vectors_are_found(tmp_path: Path) -> None:
    from index.catalog_checks import CatalogOutline
    from index.shard_checks import vector_problems

    generator = np.random.default_rng(0)
    count, per_segment = 20_000, 50
    coarse = unit_rows(generator.standard_normal((count // per_segment, DIMS))).astype(np.float16)
    owners = np.repeat(np.arange(len(coarse)), per_segment)
    noise = generator.standard_normal((count, DIMS)) * 0.05
    rows = unit_rows(coarse[owners].astype(np.float32) + noise)
    cosines = np.einsum("ij,ij->i", rows, coarse[owners]).astype(np.float16)
    write_rotated(tmp_path, rows, owners, coarse, cosines, codes="8bit")
    outline = CatalogOutline((), np.bincount(owners), count, {})
    assert list(vector_problems(tmp_path, outline, IDENTITY, "8bit")) == []
    write_bits(tmp_path / "moments.rabitq", rows[::-1].copy())
    found = list(vector_problems(tmp_path, outline, IDENTITY, "8bit"))
    assert len(found) > 8
    assert all("1-bit code" in what for what in found)
    write_bits(tmp_path / "moments.rabitq", rows[1:].copy())
    with pytest.raises(LibraryError, match="is damaged"):
        list(vector_problems(tmp_path, outline, IDENTITY, "8bit"))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255), number=st.integers(0, 999)
)
def test_any_changed_byte_of_any_file_is_found(
    copied: Path, place: float, mask: int, number: int
) -> None:
    files = sorted(path for path in copied.rglob("*") if path.is_file() and path.stat().st_size)
    path = files[number % len(files)]
    at = int(place * path.stat().st_size)
    spoil.flip(path, at, mask)
    try:
        found = damage(copied)
    finally:
        spoil.flip(path, at, mask)
    where = path.relative_to(copied).as_posix()
    assert [one for one in found if one.where == where], (where, at, found)


def test_writers_may_go_on_meanwhile(copied: Path) -> None:
    """What is verified is one state, whatever becomes of the shards while they are read."""
    busy = iter(range(3))

    def write(progress: VerifyProgress) -> None:
        number = next(busy, None)
        if number == 0:
            add(copied, *make_talk(5))
        elif number == 1:
            forget_source(copied, source_id(OTHER_VIDEO))

    found = verify_library(copied, listener=write)
    assert found.problems == ()
    body = json.loads((copied / MANIFEST_NAME).read_bytes())
    assert (found.generation, found.sources) == (body["generation"], 3)


def test_the_rotation_of_every_size_is_orthogonal() -> None:
    for dims in (2, 32, 384):
        rotation = random_rotation(dims)
        assert np.allclose(rotation @ rotation.T, np.eye(dims), atol=1e-5)
