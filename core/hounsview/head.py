"""The head phantom as shapes: sizes in mm, LPS (x to the left, y to the back, z up).

HU are rounded from the tissue tables of Schneider, Pedroni and Lomax (Phys Med Biol 41,
1996, 111-124) and, for brain and blood, from ordinary unenhanced scans.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hounsview.shapes import Point, Shape, capsule, column, ellipsoid, path, trough

AIR, FAT, SKIN, MUSCLE = -1000.0, -90.0, 15.0, 55.0
TABLE_BONE, DIPLOE, TOOTH = 1050.0, 420.0, 1900.0
GREY, WHITE, CSF, CLOT, EYE, LENS = 38.0, 27.0, 6.0, 68.0, 12.0, 70.0
BOTTOM, TOP = -130.0, 135.0

CLOT_AT = (61.5, 12.0, 40.0)
"""A point in the subdural haematoma on the LEFT."""

_INNER_TABLE = ellipsoid((0, 8, 30), (64, 82, 82), GREY)
_CSF_SPACE = ellipsoid((0, 8, 31), (63, 80.5, 80), CSF)


def shapes() -> list[Shape]:
    """Return all shapes of the head, later ones over earlier ones."""
    return [
        *_skin(),
        *_soft_tissue(),
        *_neck(),
        *_skull(),
        *_brain(),
        *_face_bones(),
        *_airways(),
        *_eyes(),
        *_rest(),
    ]


def _skin() -> Iterator[Shape]:
    yield ellipsoid((0, 6, 28), (76, 97, 98), SKIN)
    yield ellipsoid((0, -34, -38), (61, 58, 64), SKIN)
    yield ellipsoid((0, -54, -74), (38, 36, 24), SKIN)
    yield column((0, 26), (56, 60), (BOTTOM, -20), SKIN, power=2.2)
    yield capsule((0, -88, 12), (0, -102, -20), 6.5, SKIN, end_radius=9.5)
    for side in (-1, 1):
        yield ellipsoid((8 * side, -96, -24), (7, 8, 6.5), SKIN)
        yield capsule((12 * side, -83, 22), (42 * side, -71, 23), 9, SKIN, end_radius=7)
        yield ellipsoid((36 * side, -60, -18), (24, 24, 22), SKIN)
        yield from _ear(side)
    yield capsule((-20, -87, -47), (20, -87, -47), 5, SKIN)
    yield capsule((-17, -87, -56.5), (17, -87, -56.5), 5.5, SKIN)
    yield ellipsoid((0, -84, -80), (19, 15, 14), SKIN)
    yield capsule((-20, -96, -51.8), (20, -96, -51.8), 1.6, AIR)
    for side in (-1, 1):
        yield ellipsoid((30 * side, -97, 6), (17, 17, 11), AIR)
        yield ellipsoid((4.8 * side, -103, -30), (2.6, 5, 3.4), AIR)


def _ear(side: int) -> Iterator[Shape]:
    yield ellipsoid((79 * side, 10, 4), (6, 17, 31), SKIN)
    yield ellipsoid((85 * side, 12, 6), (6, 14, 27), SKIN)
    yield ellipsoid((90 * side, 7, 5), (6, 8, 18), AIR)
    yield capsule((84 * side, 4, 0), (58 * side, 6, 2), 3.4, AIR, end_radius=2.8)


def _soft_tissue() -> Iterator[Shape]:
    yield ellipsoid((0, 6, 28), (73.5, 94.5, 95.5), FAT)
    yield ellipsoid((0, -34, -38), (58, 55, 61), FAT)
    yield ellipsoid((0, -32, -40), (53, 47, 55), MUSCLE)
    for side in (-1, 1):
        yield ellipsoid((54 * side, -14, -28), (9, 22, 40), MUSCLE)
        yield ellipsoid((65 * side, -14, 32), (7, 32, 34), MUSCLE)


def _skull() -> Iterator[Shape]:
    centre = (0, 8, 30)
    yield ellipsoid(centre, (71, 90, 90), TABLE_BONE)
    yield ellipsoid(centre, (69, 88, 88), DIPLOE)
    yield ellipsoid(centre, (66, 84, 84), TABLE_BONE)
    yield _INNER_TABLE
    for side in (-1, 1):
        yield ellipsoid((44 * side, 20, -22), (22, 13, 14), TABLE_BONE + 200)
        yield ellipsoid((58 * side, 34, -28), (13, 16, 22), TABLE_BONE - 150)
        for n in range(7):
            cell = (56 * side + 2.5 * ((n % 3) - 1), 30 + 3.5 * (n % 4), -34 + 4.2 * n)
            yield ellipsoid(cell, (2.6, 2.4, 2.4), AIR + 100)


def _brain() -> Iterator[Shape]:
    yield _CSF_SPACE
    for side in (-1, 1):
        yield ellipsoid((31.5 * side, 7, 34), (30.5, 78, 76), _folded).within(_CSF_SPACE)
        yield ellipsoid((30 * side, 7, 34), (23, 66, 62), WHITE).within(_CSF_SPACE)
        yield ellipsoid((24 * side, 52, -18), (24, 26, 20), GREY)
        yield from path(
            [(9 * side, -28, 44), (10 * side, 0, 54), (20 * side, 34, 44), (30 * side, 12, 18)],
            [6, 6, 6, 3], CSF,
        )  # fmt: skip
        yield ellipsoid((16 * side, 0, 34), (10, 16, 10), GREY + 2)
    yield ellipsoid((0, 8, 20), (2, 12, 10), CSF)
    yield column((0, 26), (13, 12), (-60, 18), WHITE + 4)
    yield ellipsoid((0, 8, 31), (0.9, 80, 79), 52.0)
    # A crescent: what lies inside the skull but outside a brain pushed to the right.
    pushed = ellipsoid((-9, 8, 30), (64, 84, 84), CLOT)
    crescent = ellipsoid((0, 8, 30), (64, 82, 82), CLOT).but_for(pushed)
    upper_left = Shape((0, -80, 10), (66, 95, 90), lambda x, y, z: 10 - z, CLOT)
    yield crescent.within(upper_left)


def _folded(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return cortex with sulci."""
    fold = np.sin(0.34 * y + 1.5 * np.sin(0.15 * z)) * np.sin(0.31 * z + np.sin(0.2 * x))
    return GREY - 22 * np.clip(fold - 0.6, 0, 1)


def _face_bones() -> Iterator[Shape]:
    jaw: list[Point] = [
        (-50, -8, -22), (-47, -22, -60), (-36, -52, -76), (-16, -76, -79), (0, -80, -79),
        (16, -76, -79), (36, -52, -76), (47, -22, -60), (50, -8, -22),
    ]  # fmt: skip
    yield from path(jaw, [5, 6.5, 7, 7, 7.5, 7, 7, 6.5, 5], TABLE_BONE)
    yield from path(jaw, [2, 3.5, 4, 4, 4.5, 4, 4, 3.5, 2], DIPLOE)
    for side in (-1, 1):
        yield ellipsoid((22 * side, -58, -20), (19, 22, 20), TABLE_BONE - 200)
        yield from path(
            [(26 * side, -78, -12), (48 * side, -66, -8), (62 * side, -34, -8)],
            [6, 5.5, 4], TABLE_BONE,
        )  # fmt: skip
        yield from path(
            [(46 * side, -68, -8), (50 * side, -70, 10), (42 * side, -78, 26)],
            [5, 4, 5], TABLE_BONE,
        )  # fmt: skip
        yield capsule((12 * side, -86, 27), (42 * side, -78, 27), 5, TABLE_BONE)
    yield capsule((0, -84, 18), (0, -92, -2), 3.6, TABLE_BONE, end_radius=2.6)
    yield ellipsoid((0, -60, -36), (27, 23, 6), TABLE_BONE - 150)
    for z, depth in ((-44.5, 0.0), (-59.5, 1.5)):
        for angle in np.radians(np.arange(-82, 83, 11.7)):
            x, y = 25 * np.sin(angle), -54 - 25 * np.cos(angle) + depth
            yield ellipsoid((float(x), float(y), z), (2.9, 2.9, 6.4), TOOTH)


def _airways() -> Iterator[Shape]:
    for side in (-1, 1):
        yield ellipsoid((23 * side, -58, -18), (14, 16, 14), AIR)
        yield ellipsoid((11 * side, -82, 34), (8, 4.5, 9), AIR)
        yield ellipsoid((5.5 * side, -62, -10), (3, 28, 20), AIR)
    yield ellipsoid((0, -28, 0), (9, 8, 8), AIR)
    yield from path(
        [(0, -32, -14), (0, -18, -34), (0, -12, -70), (0, -14, BOTTOM - 5)], [9, 9, 8, 9], AIR
    )
    yield ellipsoid((0, -50, -56), (23, 26, 10), MUSCLE)


def _eyes() -> Iterator[Shape]:
    for side in (-1, 1):
        yield ellipsoid((30 * side, -56, 5), (18, 22, 16), FAT)
        yield from path([(30 * side, -56, 5), (16 * side, -38, 4)], [2.4, 2], 30.0)
        for dx, dz in ((12, 0), (-11, 0), (0, 11), (0, -11)):
            start = (30 * side + dx * side, -60, 5 + dz)
            yield capsule(start, (18 * side, -40, 4), 2.2, MUSCLE)
        yield ellipsoid((30 * side, -68, 5), (12.5, 12.5, 12.5), 45.0)
        yield ellipsoid((30 * side, -68, 5), (11.5, 11.5, 11.5), EYE)
        yield ellipsoid((30 * side, -77, 5), (4.6, 2.2, 4.6), LENS)
        # Lids that follow the globe.
        yield capsule((21 * side, -79, 10), (39 * side, -76, 10), 3.2, SKIN)
        yield capsule((21 * side, -79, -0.5), (39 * side, -76, -0.5), 2.6, SKIN)


def _neck() -> Iterator[Shape]:
    yield column((0, 26), (53, 57), (BOTTOM, -34), FAT, power=2.2)
    yield column((0, 28), (47, 50), (BOTTOM, -38), MUSCLE, power=2.2)
    yield column((0, -14), (11, 11), (BOTTOM, -72), MUSCLE)
    yield column((0, -14), (8.5, 8.5), (BOTTOM, -70), AIR)
    for side in (-1, 1):
        yield capsule((26 * side, 4, BOTTOM - 5), (24 * side, 0, -40), 4, 45.0)
    for n in range(5):
        z = -126 + 17.0 * n
        yield column((0, 14), (11, 9), (z - 6.5, z + 6.5), TABLE_BONE - 300)
        yield column((0, 14), (9, 7), (z - 5, z + 5), DIPLOE - 120)
        yield column((0, 33), (13, 12), (z - 5, z + 5), TABLE_BONE - 200)
        yield capsule((0, 42, z), (0, 58, z - 6), 3.6, TABLE_BONE - 200)
    yield column((0, 32), (9, 8.5), (BOTTOM, -52), CSF)
    yield column((0, 32), (6, 5), (BOTTOM, -52), WHITE + 6)


def _rest() -> Iterator[Shape]:
    yield trough((0, 20), (100, 112), 92, (BOTTOM, TOP), -140.0)
    yield trough((0, 20), (102, 110), 90, (BOTTOM, TOP), -930.0)
