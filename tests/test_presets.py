"""Rendering presets: the file is sound, and an unsound one is refused in words."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import pairwise

import pytest

import hounsview as hv

GOOD = {
    "name": "x",
    "label": "X",
    "kind": "composite",
    "scalar_opacity": [[0, 0], [100, 1]],
    "color": [[0, 1, 1, 1]],
}


def test_the_eight_presets_are_there_and_read_only():
    presets = hv.rendering_presets()
    assert list(presets) == [
        "bone", "lung", "airways", "skin", "muscle and bone", "vessels", "MIP", "MinIP",
    ]  # fmt: skip
    assert all(name == preset.name for name, preset in presets.items())
    assert [p.kind for p in presets.values()] == ["composite"] * 6 + ["mip", "minip"]
    with pytest.raises(TypeError):
        del presets["bone"]


def test_air_padding_and_soft_tissue_do_not_show_where_they_should_not():
    def opacity(name, hu):
        points = hv.rendering_presets()[name].scalar_opacity
        if hu <= points[0][0]:
            return points[0][1]
        for (a, low), (b, high) in pairwise(points):
            if hu <= b:
                return low + (high - low) * (hu - a) / (b - a)
        return points[-1][1]

    for name in hv.rendering_presets():
        # MinIP sees the inside of the body alone.
        assert opacity(name, -1024) == (name == "MinIP"), f"{name} draws padding"
    for name in ("bone", "skin", "muscle and bone", "vessels", "MIP"):
        assert opacity(name, -1000) == 0, f"{name} draws air"
    assert opacity("bone", 60) == 0 < opacity("bone", 400)
    assert opacity("lung", 40) == 0 < opacity("lung", -700)
    assert opacity("skin", 0) == 1


def test_every_key_of_the_file_is_explained_in_it():
    document = json.loads(files("hounsview").joinpath("data/rendering.json").read_text("utf-8"))
    told = {key.strip() for keys in document["about"] for key in keys.split(",")}
    used = {key for preset in document["presets"] for key in preset}
    assert used <= told


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "xray"}, "kind must be one of"),
        ({"name": ""}, "a name and a label"),
        ({"scalar_opacity": []}, "at least one point"),
        ({"scalar_opacity": [[0, 0], [0, 1]]}, "rise strictly"),
        ({"scalar_opacity": [[0, 1.5]]}, r"outside 0\.\.1"),
        ({"scalar_opacity": [[0, 0, 0]]}, "2 finite numbers"),
        ({"scalar_opacity": 3}, "list of points"),
        ({"color": [[0, 1, 1]]}, "4 finite numbers"),
        ({"color": [[float("nan"), 1, 1, 1]]}, "finite"),
        ({"gradient_opacity": [[5, 0], [1, 1]]}, "rise strictly"),
        ({"ambient": 2}, "ambient must lie in"),
        ({"specular_power": 0}, "specular_power"),
        ({"opacity_unit_distance": "far"}, "opacity_unit_distance"),
        ({"glow": 1}, "unknown keys: glow"),
    ],
)
def test_an_unsound_preset_is_refused(change, message):
    with pytest.raises(hv.ArgumentError, match=message):
        hv.RenderingPreset.from_dict({**GOOD, **change})


def test_a_missing_key_is_named():
    entry = {key: value for key, value in GOOD.items() if key != "color"}
    with pytest.raises(hv.ArgumentError, match="'x' lacks color"):
        hv.RenderingPreset.from_dict(entry)


def test_points_become_tuples_of_float():
    preset = hv.RenderingPreset.from_dict(GOOD)
    assert preset.scalar_opacity == ((0.0, 0.0), (100.0, 1.0))
    assert hash(preset) == hash(hv.RenderingPreset.from_dict(GOOD))
