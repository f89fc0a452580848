"""Damaged headers: whatever the bytes, an answer or an error of the tree, never a crash."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import hounsview as hv
from traps import TRAPS

KINDS = ("clean", "enhanced multi-frame, shuffled", "RLE", "JPEG-LS", "no preamble, no meta")
PATCHES = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"nan ", b"-1\\0")


def mutated(raw: bytes, rng: random.Random) -> bytes:
    content = bytearray(raw)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(128, min(len(content), 1600))
        kind = rng.randrange(4)
        if kind == 0:
            content[at] = rng.randrange(256)
        elif kind == 1:
            del content[at : at + rng.randint(1, 8)]
        elif kind == 2:
            patch = rng.choice(PATCHES)
            content[at : at + len(patch)] = patch
        else:
            content = content[: rng.randrange(300, len(content))]
        if len(content) < 400:
            break
    return bytes(content)


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_files_end_in_an_answer_or_an_error_of_the_tree(
    kind: str, tmp_path: Path
) -> None:
    rng = random.Random(kind)
    TRAPS[kind].build(tmp_path)
    originals = {file: file.read_bytes() for file in sorted(tmp_path.iterdir())}
    for _ in range(25):
        for file, raw in originals.items():
            damaged = len(originals) == 1 or rng.random() < 0.4
            file.write_bytes(mutated(raw, rng) if damaged else raw)
        result = hv.load_all(tmp_path)
        assert result.volumes or result.refused
        for as_stored in (False, True):
            try:
                volume = hv.load(tmp_path, as_stored=as_stored)
            except hv.HounsviewError:
                continue
            assert volume.hu.shape == volume.geometry.shape
