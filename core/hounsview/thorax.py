"""The thorax phantom as shapes: sizes in mm, LPS (x to the left, y to the back, z up).

HU are rounded from the tissue tables of Schneider, Pedroni and Lomax (Phys Med Biol 41,
1996, 111-124); contrast and lung density are those of an ordinary portal-venous scan.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hounsview.shapes import Floats, Point, Shape, capsule, column, ellipsoid, path, trough

AIR, FAT, MUSCLE, SKIN, BLOOD = -1000.0, -105.0, 55.0, 10.0, 180.0
CORTICAL, MARROW, CARTILAGE, DISC = 850.0, 240.0, 130.0, 90.0
LIVER, SPLEEN, LUNG_VESSEL, NODULE = 105.0, 110.0, 90.0, 40.0
FOAM, SHELL = -920.0, -150.0

BOTTOM, TOP = -165.0, 165.0
NODULE_AT, NODULE_RADIUS = (-78.0, -22.0, 82.0), 5.0
"""A 10 mm nodule in the upper lobe of the RIGHT lung."""

_RIGHT_DOME = ellipsoid((-66, 2, -150), (92, 96, 88), LIVER)
_LEFT_DOME = ellipsoid((70, 6, -160), (82, 90, 82), SPLEEN)
_HEART = ellipsoid((24, -36, -28), (54, 46, 58), MUSCLE)


def lung_texture(x: Floats, y: Floats, z: Floats) -> Floats:
    """Return the HU of lung: denser towards the back, as in a supine patient."""
    ripple = 14 * np.sin(0.21 * x) * np.sin(0.17 * y + 1) * np.sin(0.19 * z + 2)
    density: Floats = -862 + 0.35 * y + ripple
    return density


def shapes() -> list[Shape]:
    """Return all shapes of the thorax, later ones over earlier ones."""
    return [
        *_body(),
        *_lungs(),
        *_organs_below(),
        *_heart_and_vessels(),
        *_lung_vessels(),
        *_airways(),
        *_spine(),
        *_rib_cage(),
        *_shoulder_girdle(),
        *_table(),
    ]


def _body() -> Iterator[Shape]:
    # Wider at the shoulders: a second column that ends below them.
    for grow, hu in ((0.0, SKIN), (2.5, FAT), (15.0, MUSCLE)):
        yield column((0, 0), (172 - grow, 124 - grow), (BOTTOM, TOP), hu, power=2.5)
    for side in (-1, 1):
        yield ellipsoid((62 * side, -112, 25), (52, 16, 42), FAT)
        yield ellipsoid((66 * side, -98, 40), (62, 12, 58), MUSCLE)


def _lungs() -> Iterator[Shape]:
    right = ellipsoid((-78, 0, -5), (61, 88, 152), lung_texture)
    left = ellipsoid((79, 2, -2), (59, 86, 150), lung_texture)
    # The pericardial notch of the left lung is painted by the heart itself.
    yield right
    yield left
    # Fissures: thin sheets.
    yield Shape(
        (-140, -88, -120), (-16, 88, 60),
        lambda x, y, z: np.abs(z + 0.9 * y + 20) / 1.35 - 0.35, -700.0,
    ).within(right)  # fmt: skip
    yield Shape(
        (20, -88, -120), (140, 88, 80),
        lambda x, y, z: np.abs(z + 1.0 * y - 5) / 1.41 - 0.35, -700.0,
    ).within(left)  # fmt: skip


def _organs_below() -> Iterator[Shape]:
    yield _RIGHT_DOME
    yield _LEFT_DOME
    yield ellipsoid((62, -34, -118), (34, 26, 24), 30.0)
    yield ellipsoid((62, -40, -112), (28, 18, 17), AIR + 20)
    for points in (
        [(-20, 5, -165), (-45, -5, -125), (-80, -10, -105)],
        [(-45, -5, -125), (-70, 30, -110), (-95, 40, -105)],
    ):
        yield from path(points, [7, 5, 2], 165.0)


def _heart_and_vessels() -> Iterator[Shape]:
    yield ellipsoid((22, -36, -28), (60, 52, 64), FAT + 15)
    yield _HEART
    yield ellipsoid((44, -28, -46), (24, 22, 34), 230.0)
    yield ellipsoid((8, -56, -40), (28, 18, 34), 215.0)
    yield ellipsoid((-18, -28, -12), (19, 22, 26), 210.0)
    yield ellipsoid((14, 6, -2), (28, 16, 20), 225.0)
    arch = [
        (8, -32, -4), (-4, -38, 20), (-4, -36, 44), (4, -22, 62), (14, 0, 70), (22, 24, 64),
        (25, 42, 48), (24, 52, 20), (20, 54, -60), (12, 52, BOTTOM - 5),
    ]  # fmt: skip
    yield from path(arch, [15, 15, 14.5, 14, 13, 12.5, 12, 11.5, 11, 10], 235.0)
    yield from path([(-24, -22, 10), (-26, -20, 40), (-24, -22, 90)], [9, 9, 8], 215.0)
    trunk = [(16, -48, 0), (20, -32, 22), (16, -10, 32)]
    yield from path(trunk, [14, 13, 11], 225.0)
    yield from path([(16, -10, 32), (-4, -6, 28), (-34, 0, 26)], [10, 9.5, 8], 225.0)
    yield from path([(16, -10, 32), (34, 6, 36)], [10, 8], 225.0)
    yield from path([(-16, -10, -20), (-22, 2, -80), (-22, 8, BOTTOM)], [10, 11, 12], 150.0)
    for points, radii in (
        ([(0, -26, 64), (-10, -28, 90), (-26, -30, 125), (-45, -40, TOP)], [6, 6, 5, 5]),
        ([(10, -8, 70), (14, -14, 110), (18, -16, TOP)], [4.5, 4, 4]),
        ([(16, 8, 70), (30, 0, 110), (45, -14, TOP)], [5, 4.5, 4]),
    ):
        yield from path(points, radii, 230.0)


def _lung_vessels() -> Iterator[Shape]:
    """Yield two trees that branch from the hila, the same ones every time."""
    rng = np.random.default_rng(1895)
    for side, hilum, lung in (
        (-1, (-34.0, 2.0, 24.0), ((-78, 0, -5), (57, 84, 147))),
        (1, (34.0, 8.0, 30.0), ((79, 2, -2), (55, 82, 145))),
    ):
        for heading in (
            (0.5, 0.1, 0.9), (0.8, -0.6, 0.5), (1.0, 0.4, 0.3), (0.9, -0.5, -0.4),
            (0.6, 0.5, -0.7), (0.5, 0.8, -0.2), (0.7, 0.0, -1.0), (0.6, 0.7, 0.6),
        ):  # fmt: skip
            start = np.asarray(hilum)
            direction = np.asarray(heading) * (side, 1, 1)
            yield from _branches(rng, start, direction, 4.2, lung)


def _branches(
    rng: np.random.Generator,
    start: Any,
    direction: Any,
    radius: float,
    lung: tuple[Point, Point],
) -> Iterator[Shape]:
    direction = direction / np.linalg.norm(direction)
    end = start + direction * (9 + 5.5 * radius) * rng.uniform(0.8, 1.2)
    if radius < 0.75 or not _in_lung(end, lung):
        return
    yield capsule(start, end, radius, LUNG_VESSEL, end_radius=radius * 0.82)
    for share in (0.82, 0.64):
        bend = rng.normal(0, 0.42, 3)
        yield from _branches(rng, end, direction + bend, radius * share, lung)


def _in_lung(point: Any, lung: tuple[Point, Point]) -> bool:
    centre, radii = np.asarray(lung[0]), np.asarray(lung[1])
    inside = (((point - centre) / radii) ** 2).sum() < 1
    x, y, z = (np.asarray(n) for n in point)
    others = (_RIGHT_DOME, _LEFT_DOME, _HEART)
    return bool(inside and all(shape.distance(x, y, z) > 3 for shape in others))


def _airways() -> Iterator[Shape]:
    trunk: list[tuple[list[Point], list[float]]] = [
        ([(0, 4, TOP + 5), (0, 10, 110), (2, 18, 46)], [9, 9, 8.5]),
        ([(2, 18, 46), (-20, 18, 30), (-36, 14, 20)], [7.5, 6.5, 5.5]),
        ([(2, 18, 46), (26, 22, 26), (44, 22, 14)], [7, 6, 5]),
        ([(-36, 14, 20), (-52, 6, 42), (-62, 0, 62)], [4, 3, 2]),
        ([(-36, 14, 20), (-50, 22, -8), (-62, 30, -34)], [4.5, 3.5, 2.2]),
        ([(44, 22, 14), (58, 12, 36), (66, 4, 60)], [3.8, 2.8, 2]),
        ([(44, 22, 14), (56, 30, -12), (66, 38, -38)], [4, 3.2, 2.2]),
    ]
    for points, radii in trunk:
        yield from path(points, [r + 1.6 for r in radii], MUSCLE)
    for points, radii in trunk:
        yield from path(points, radii, AIR)
    yield ellipsoid(NODULE_AT, (NODULE_RADIUS,) * 3, NODULE)


def _spine() -> Iterator[Shape]:
    for n in range(13):
        z = -160 + 27 * n
        y = 62 + 6 * np.cos((z + 10) / 110)
        yield column((0, y), (18.5, 15), (z + 9, z + 18), DISC)
        yield column((0, y), (20, 16.5), (z - 10.5, z + 10.5), CORTICAL - 250)
        yield column((0, y), (17.8, 14.3), (z - 8.7, z + 8.7), MARROW - 30)
        yield from _vertebral_arch(y, z)
    yield column((0, 90), (8.5, 8), (BOTTOM, TOP), 25.0)
    yield column((0, 90), (5, 4.5), (BOTTOM, TOP), 38.0)


def _vertebral_arch(y: float, z: float) -> Iterator[Shape]:
    yield column((0, y + 25), (13.5, 13), (z - 7, z + 7), CORTICAL - 150)
    for side in (-1, 1):
        ends = ((14 * side, y + 24, z), (33 * side, y + 27, z + 3))
        yield capsule(*ends, 5, CORTICAL - 100, end_radius=4)
        yield capsule(*ends, 3, MARROW, end_radius=2)
    yield capsule((0, y + 36, z - 4), (0, y + 49, z - 18), 4.2, CORTICAL - 100, end_radius=3.2)
    yield capsule((0, y + 36, z - 4), (0, y + 48, z - 17), 2, MARROW)


def _rib_cage() -> Iterator[Shape]:
    for n in range(12):
        for side in (-1, 1):
            yield from _rib(n, side)
    for radii, hu in (((19, 7, 30), CORTICAL - 200), ((16.5, 4.8, 27.5), MARROW)):
        yield ellipsoid((0, -99, 92), radii, hu)
    for radii, hu in (((15, 6.5, 62), CORTICAL - 200), ((12.5, 4.3, 59), MARROW)):
        yield ellipsoid((0, -101, 12), radii, hu)


def _rib(n: int, side: int) -> Iterator[Shape]:
    """Yield one rib: from its vertebra round the chest, descending to the front."""
    z0 = 150 - 24.5 * n
    reach = 152 if n < 7 else 140 - 13 * (n - 7)
    width = min(145.0, 90 + 18 * n)
    depth = min(98.0, 74 + 8 * n)
    drop = 30 + 4.5 * min(n, 9)
    angles = np.radians(np.linspace(16, reach, 13))
    points = [
        (
            side * width * np.sin(a) ** 0.85,
            depth * np.cos(a) - 4,
            z0 - drop * (np.degrees(a) / 160) ** 1.15,
        )
        for a in angles
    ]
    points = [(side * 26.0, 84.0, z0 + 2), *points]
    radii = [4.6] * 2 + [5.4] * 10 + [5.0, 4.4]
    yield from path(points, radii, CORTICAL)
    yield from path(points, [r - 2 for r in radii], MARROW)
    if n < 7:
        target = (side * 13.0, -100.0, 98 - 21.0 * n)
        yield capsule(points[-1], target, 4.6, CARTILAGE, end_radius=4.2)
    elif n < 10:
        yield capsule(points[-1], (side * 24.0, -97.0, -52.0), 4.4, CARTILAGE)


def _shoulder_girdle() -> Iterator[Shape]:
    for side in (-1, 1):
        for grow, hu in ((0.0, CORTICAL - 150), (1.7, MARROW)):
            blade = ellipsoid((92 * side, 92, 78), (40 - grow, 4.4 - grow * 0.6, 62 - grow), hu)
            yield blade
        spine = ((58 * side, 98, 108), (132 * side, 84, 132))
        yield capsule(*spine, 5.5, CORTICAL, end_radius=7)
        yield capsule(*spine, 3, MARROW, end_radius=4.5)
        clavicle: list[Point] = [
            (16 * side, -100, 124), (60 * side, -92, 138), (112 * side, -52, 150)
        ]  # fmt: skip
        yield from path(clavicle, [7, 5.5, 6], CORTICAL)
        yield from path(clavicle, [4.5, 3.2, 3.6], MARROW)


def _table() -> Iterator[Shape]:
    across = (BOTTOM - 5, TOP + 5)
    yield trough((0, -260), (388, 404), 205, across, SHELL)
    yield trough((0, -260), (390, 402), 203, across, FOAM)
