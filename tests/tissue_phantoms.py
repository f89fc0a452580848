"""Analytic chests with known masks, written apart from `hounsview.shapes` and the masks.

Everything is a signed distance in the patient (LPS mm, negative inside), painted with an
edge one voxel wide. The truth of a tissue is where its distance is negative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

import hounsview as hv
from hounsview.geometry import Geometry

Array = np.ndarray
Points = tuple[Array, Array, Array]
SKIN, FAT, MUSCLE, LUNG, AIR = 10.0, -100.0, 50.0, -850.0, -1000.0
CORTEX, SPONGIOSA, CONTRAST, STEEL = 850.0, 260.0, 320.0, 3071.0
HALF = (160.0, 108.0)
WALL_MM = 1.8
REST_Y = 104.0
"""Where a table stands on the patient's flattened back."""
TABLES = ("flat", "curved", "cushioned", "two shells", "straps and blanket")


@dataclass(frozen=True)
class Case:
    """What of a chest differs from the plain one."""

    table: str = "flat"
    touching: bool = False
    side: str = "P"
    arms: str = "up"
    roll: float = 0.0
    turned: float = 0.0
    collapsed: str = ""
    metal: bool = False
    contrast: bool = False
    noise: float = 10.0
    spacing: tuple[float, float, float] = (2.0, 2.0, 2.0)
    orientation: str = "SPL"
    view: float = 0.0
    nodule: bool = False
    emphysema: bool = False
    lungs_touch: bool = False
    stomach: bool = False


@dataclass
class Chest:
    volume: hv.Volume
    truth: dict[str, Array] = field(default_factory=dict)


def dice(found: Array, truth: Array) -> float:
    both = np.count_nonzero(found & truth)
    return 2 * both / (np.count_nonzero(found) + np.count_nonzero(truth))


def ball(p: Points, centre: tuple[float, ...], radii: tuple[float, ...]) -> Array:
    """Approximate distance to an ellipsoid: exact where its axes are equal."""
    parts = zip(p, centre, radii, strict=True)
    return (np.sqrt(sum(((at - c) / r) ** 2 for at, c, r in parts)) - 1) * min(radii)


def rod(p: Points, start: tuple[float, ...], end: tuple[float, ...], radius: float) -> Array:
    from_start = [at - a for at, a in zip(p, start, strict=True)]
    along = [b - a for a, b in zip(start, end, strict=True)]
    length2 = sum(n * n for n in along)
    t = sum(at * n for at, n in zip(from_start, along, strict=True)) / length2
    t = np.clip(t, 0, 1)
    apart = sum((at - t * n) ** 2 for at, n in zip(from_start, along, strict=True))
    return np.sqrt(apart) - radius


def oval(p: Points, centre: tuple[float, float], radii: tuple[float, float]) -> Array:
    """Approximate distance to an upright elliptic column."""
    x, y = (p[0] - centre[0]) / radii[0], (p[1] - centre[1]) / radii[1]
    return (np.sqrt(x**2 + y**2) - 1) * min(radii)


def trunk(p: Points) -> Array:
    x, y = np.abs(p[0]) / HALF[0], np.abs(p[1]) / HALF[1]
    return ((x**2.4 + y**2.4) ** (1 / 2.4) - 1) * HALF[1]


def rib(p: Points, z: float) -> Array:
    """A ring round the chest, lower in front, open before the sternum."""
    across = oval(p, (0, 0), (140, 90))
    height = p[2] - z - 0.25 * p[1]
    ring = np.sqrt(across**2 + height**2) - 5.5
    return np.maximum(ring, -70 - p[1])


def vertebrae(p: Points) -> Array:
    height = np.abs((p[2] + 500) % 30 - 15) - 12.4
    body = np.maximum(oval(p, (0, 62), (19, 15)), height)
    arch = np.maximum(oval(p, (0, 92), (9, 9)), height)
    return np.minimum(body, arch)


def bones(p: Points) -> Array:
    parts = [vertebrae(p), ball(p, (0, -88, 20), (17, 8, 70))]
    parts += [rib(p, z) for z in range(-90, 91, 26)]
    for side in (-1, 1):
        parts.append(rod(p, (92 * side, 84, 80), (92 * side, 84, 10), 5.5))
    return np.minimum.reduce(parts)


def arms(p: Points) -> tuple[Array, Array]:
    """Distances to both arms and to the bones in them."""
    skin, bone = [], []
    for side in (-1, 1):
        ends = ((207 * side, 20, -200), (207 * side, 20, 200))
        skin.append(rod(p, *ends, 40))
        bone.append(rod(p, *ends, 11))
    return np.minimum(*skin), np.minimum(*bone)


def arms_on_hips(p: Points) -> Array:
    """Distance to arms that close a gap with the trunk, open above and below it."""
    parts = []
    for side in (-1, 1):
        parts.append(rod(p, (218 * side, 0, -200), (218 * side, 0, 200), 30))
        for y in (-48, 48):
            for x in (165, 198):
                parts.append(rod(p, (x * side, y, -45), (x * side, y, 45), 23))
    return np.minimum.reduce(parts)


def lungs(p: Points, case: Case, tube: Array, bone: Array) -> tuple[Array, Array]:
    """Distances to the left and the right lung."""
    gap = 0.8 if case.lungs_touch else 15.0
    left = ball(p, (52 + gap, 0, 0), (52, 70, 84))
    right = ball(p, (-52 - gap, 0, 0), (52, 70, 84))
    liver = ball(p, (-70, 0, -130), (85, 95, 75))
    heart = ball(p, (28, -28, -24), (46, 38, 44))
    if case.lungs_touch:
        heart = ball(p, (40, -28, -44), (40, 30, 30))
    left = np.maximum(left, -heart)
    if case.stomach:
        left = np.maximum(left, WALL_MM - stomach(p))
    right = np.maximum(np.maximum(right, -liver), -heart)
    left, right = np.maximum(left, 2.5 - tube), np.maximum(right, 2.5 - tube)
    return np.maximum(left, 2.0 - bone), np.maximum(right, 2.0 - bone)


def airways(p: Points) -> Array:
    trachea = rod(p, (0, 22, 200), (0, 22, 22), 8.5)
    right = rod(p, (0, 22, 22), (-30, 20, 0), 6.5)
    left = rod(p, (0, 22, 22), (30, 20, 2), 6.5)
    return np.minimum.reduce([trachea, right, left])


def stomach(p: Points) -> Array:
    """Gas under the left lung."""
    return ball(p, (64, -6, -62), (34, 30, 20))


def vessels(p: Points) -> Array:
    rng = np.random.default_rng(5)
    parts = []
    for side in (-1, 1):
        hub = np.array([34.0 * side, 10, 5])
        for _ in range(7):
            far = np.array([68.0 * side, 0, 0]) + rng.uniform(-1, 1, 3) * (38, 50, 62)
            parts.append(rod(p, tuple(hub), tuple(far), 2.2))
    return np.minimum.reduce(parts)


def sheet(case: Case) -> list[tuple[Callable[[Points], Array], float]]:
    """The table as (distance, HU), for a patient lying on the given side."""

    def depth(p: Points) -> Array:
        if case.side == "L":
            return p[0] - HALF[0] + (4 if case.touching else -6)
        outward = p[1] if case.side == "P" else -p[1]
        return outward - REST_Y - (0 if case.touching else 12)

    def across(p: Points) -> Array:
        return p[1] if case.side == "L" else p[0]

    def layer(top: float, thick: float, bend: float = 0.0) -> Callable[[Points], Array]:
        def distance(p: Points) -> Array:
            at = depth(p) - top + bend * across(p) ** 2
            plate = np.abs(at - thick / 2) - thick / 2
            return np.maximum(plate, np.abs(across(p)) - 178)

        return distance

    return {
        "flat": [(layer(0, 4), -50.0)],
        "curved": [(layer(0, 3, 0.0012), -50.0)],
        "cushioned": [(layer(0, 30), -930.0), (layer(0, 1.5), -250.0), (layer(30, 3), 0.0)],
        "two shells": [
            (layer(0, 3), -100.0), (layer(3, 28), -940.0), (layer(31, 3), -100.0),
        ],
        "straps and blanket": [
            (layer(0, 4), -50.0),
            (lambda p: np.abs(trunk(p) - 5) - 1.5, -250.0),
            (lambda p: np.maximum(
                np.maximum(np.abs(p[1] + 112) - 1.5, np.abs(p[2] - 30) - 22),
                np.abs(p[0]) - 178,
            ), 20.0),
        ],
        "none": [],
    }[case.table]  # fmt: skip


def grid_of(case: Case) -> Geometry:
    low, high = np.array([-252.0, -120.0, -96.0]), np.array([252.0, 152.0, 96.0])
    if case.side == "A":
        low[1], high[1] = -152.0, 120.0
    if case.side == "L":
        high[0] = 210.0
    if case.arms == "up" and case.side != "L":
        low[0], high[0] = -184.0, 184.0
    direction = np.eye(3)[:, ::-1]
    if case.turned:
        a = np.radians(case.turned)
        turn = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
        direction = turn @ direction
    shape = np.round((high - low)[::-1] / np.array(case.spacing)).astype(int)
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(case.spacing)
    affine[:3, 3] = (low + high) / 2 - affine[:3, :3] @ ((shape - 1) / 2)
    return Geometry(tuple(int(n) for n in shape), affine)


def rolled(p: Points, degrees: float) -> Points:
    """The same points as seen by a patient who is rolled about the long axis."""
    if not degrees:
        return p
    a = np.radians(np.float32(degrees))
    x, y, z = p
    return np.cos(a) * x + np.sin(a) * y, np.cos(a) * y - np.sin(a) * x, z


def chest(case: Case) -> Chest:
    """The chest of a case, painted a few slices at a time to keep arrays small."""
    geometry = grid_of(case)
    hu = np.empty(geometry.shape, np.float32)
    names = ("body", "left", "right", "airways", "bone", "metal", "contrast")
    truth = {name: np.empty(geometry.shape, bool) for name in names}
    _, j, i = geometry.shape
    for k in range(geometry.shape[0]):
        index = np.stack(np.meshgrid([k], np.arange(j), np.arange(i), indexing="ij"), -1)
        x, y, z = np.moveaxis(geometry.to_patient(index)[0].astype(np.float32), -1, 0)
        points = tuple(np.ascontiguousarray(at) for at in (x, y, z))
        values, parts = slice_of(case, points, min(case.spacing))
        hu[k] = values
        for name in names:
            truth[name][k] = parts[name]
    hu += np.random.default_rng(3).normal(0, case.noise, hu.shape).astype(np.float32)
    valid = None
    if case.view:
        index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), -1)
        away = np.hypot(*np.moveaxis(geometry.to_patient(index)[..., :2], -1, 0)) > case.view
        hu[away] = hv.AIR_HU
        valid = np.where(away, np.uint8(hv.Validity.PADDING), np.uint8(0))
        truth = {name: mask & ~away for name, mask in truth.items()}
    volume = hv.Volume(
        np.rint(np.clip(hu, -1024, 3071)).astype(np.int16), geometry, valid=valid
    )
    return stored(Chest(volume, truth), case.orientation)


def stored(made: Chest, letters: str) -> Chest:
    """The same chest, stored in another orientation."""
    masks = {
        name: hv.Volume(mask.astype(np.int16), made.volume.geometry).reorient(letters).hu > 0
        for name, mask in made.truth.items()
    }
    return replace(made, volume=made.volume.reorient(letters), truth=masks)


def slice_of(case: Case, points: Points, edge: float) -> tuple[Array, dict[str, Array]]:
    """HU of (j, i) points, and the truth there."""
    p = rolled(points, case.roll)
    hu = np.full(p[0].shape, AIR, np.float32)

    def paint(distance: Array, value: float | Array) -> None:
        hu[...] += np.clip(0.5 - distance / edge, 0, 1) * (value - hu)

    for distance, value in sheet(case):
        paint(distance(points), value)
    body = lying(trunk(p), case, points)
    bone = bones(p)
    if case.arms == "down":
        arm, humerus = arms(p)
        body, bone = np.minimum(body, arm), np.minimum(bone, humerus)
    if case.arms == "on hips":
        body = np.minimum(body, arms_on_hips(p))
    for depth, value in ((0, SKIN), (3, FAT), (14, MUSCLE)):
        paint(body + depth, value)
    tube = airways(p)
    left, right = lungs(p, case, tube, bone)
    paint_lungs(case, p, left, right, paint)
    paint(np.maximum(tube - 2.2, body + 5), MUSCLE)
    paint(tube, AIR)
    if case.stomach:
        paint(stomach(p), AIR + 10)
    paint(bone, CORTEX)
    paint(bone + 2.0, SPONGIOSA)
    aorta = rod(p, (34, 48, -200), (34, 48, 60), 11)
    if case.contrast:
        paint(aorta, CONTRAST)
        left = np.maximum(left, -aorta)
    steel = ball(p, (-60, 86, -40), (9, 7, 9))
    if case.metal:
        hu += streaks(p) * (body < 0)
        paint(steel, STEEL)
        bone = np.maximum(bone, -steel)
    inside = body < 0
    truth = {
        "body": inside, "bone": (bone < 0) & inside, "airways": tube < 0,
        "left": left < 0, "right": right < 0, "contrast": aorta < 0, "metal": steel < 0,
    }  # fmt: skip
    if case.collapsed:
        truth[case.collapsed] = np.zeros_like(inside)
    return hu, truth


def streaks(p: Points) -> Array:
    """Bright and dark rays from the metal, as HU to add."""
    angle, away = np.arctan2(p[1] - 86, p[0] + 60), np.hypot(p[1] - 86, p[0] + 60)
    return 260 * np.sin(9 * angle) * np.exp(-np.abs(p[2] + 40) / 6) * np.exp(-away / 45)


def lying(body: Array, case: Case, points: Points) -> Array:
    """The trunk, flattened where it lies on a table."""
    if not case.touching or case.side == "L":
        return body
    outward = points[1] if case.side == "P" else -points[1]
    return np.maximum(body, outward - REST_Y)


def paint_lungs(
    case: Case, p: Array, left: Array, right: Array, paint: Callable[[Array, Array], None]
) -> None:
    density = np.float32(LUNG) + 0.4 * p[1] + 15 * np.sin(p[2] / 9)
    if case.emphysema:
        density = density - 75
    for name, lung in (("left", left), ("right", right)):
        paint(lung, 30.0 if case.collapsed == name else density)
    tree = np.maximum(vessels(p), np.minimum(left, right))
    paint(tree, MUSCLE)
    if case.nodule:
        # On the pleura of the right lung, at the side.
        paint(np.maximum(ball(p, (-116, 0, 10), (6, 6, 6)), right), 40.0)
