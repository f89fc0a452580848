"""How a volume is shown: window, volume rendering, slices in 3D, crop box, layout."""

from __future__ import annotations

from typing import Any

NO_RENDERING = ""


def rendering_class(method: str) -> str:
    """Return the class of the display node that draws volumes by "GPU" or "CPU"."""
    from hounsview import mrml

    return {"GPU": mrml.GPU_RENDERING, "CPU": mrml.CPU_RENDERING}[method]


def windows() -> list[str]:
    """Return the names of the window presets."""
    from hounsview import window_presets

    return list(window_presets())


def renderings() -> list[tuple[str, str]]:
    """Return (label, name) of the volume rendering presets."""
    from hounsview import rendering_presets

    return [(preset.label, name) for name, preset in rendering_presets().items()]


def layouts() -> list[str]:
    """Return the names of the layouts."""
    from hounsview.viewstate.state import LAYOUTS

    return list(LAYOUTS)


def view(node: Any, scene: Any) -> Any:
    """Return what a scene shows of a volume, or of none, as a `hounsview.ViewState`.

    `show_volume` is whether a volume rendering is seen; False of none, and of a volume that
    cannot be shown (`described` says why).
    """
    import hounsview as hv
    from hounsview import mrml

    try:
        state = None if node is None else mrml.view_of(node, scene)
    except hv.HounsviewError:
        state = None
    if state is None:
        return hv.ViewState(show_volume=False)
    return state if mrml.has_rendering(node) else state.changed(show_volume=False)


def described(node: Any) -> str:
    """Return name, size, spacing and unit of a volume in a line, or what is wrong with it."""
    import hounsview as hv
    from hounsview import mrml

    try:
        grid = mrml.geometry_of(node)
    except hv.HounsviewError as error:
        return f"{node.GetName()}: {error}"
    slices, rows, columns = grid.shape
    spacing = " x ".join(f"{mm:.4g}" for mm in grid.spacing)
    unit = mrml.unit_of(node) or "unit not said"
    return f"{node.GetName()}: {slices} slices of {rows} x {columns}, {spacing} mm, {unit}"


def set_window(node: Any, name: str) -> None:
    """Show a volume in a window preset."""
    from hounsview import mrml, window_presets

    mrml.set_window(node, window_presets()[name])


def set_rendering(node: Any, name: str, rendering: str, scene: Any) -> list[str]:
    """Show a volume in a rendering preset, or none; return what cannot be shown.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode
    name : str
        Of the preset; `NO_RENDERING` hides the volume rendering.
    rendering : str
        Class of the display node.
    scene : vtkMRMLScene
    """
    from hounsview import mrml
    from hounsview.viewstate import Transfer

    state = mrml.view_of(node, scene)
    if name == NO_RENDERING:
        state = state.changed(show_volume=False)
    elif name != state.rendering or not state.show_volume:
        state = state.changed(rendering=name, transfer=Transfer(), show_volume=True)
    if state.show_volume:
        face(node, scene)
    notes: list[str] = []
    mrml.show_rendering(state, node, scene, rendering, notes.append)
    return notes


def face(node: Any, scene: Any) -> None:
    """Let the 3D view look at a volume of which nothing is seen there yet."""
    from hounsview import mrml

    if not mrml.has_rendering(node) and not mrml.companions_of(node, mrml.SURFACE):
        mrml.look_at(node, scene)


def set_crop(node: Any, shown: bool, rendering: str, scene: Any) -> None:
    """Crop the volume rendering to a box that can be dragged, or show all of it again."""
    from hounsview import mrml
    from hounsview.viewstate import CropBox

    state = mrml.view_of(node, scene)
    box = None
    if shown:
        corners = mrml.body_box(node).corners(faces=True)
        low, high = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        box = state.crop or CropBox(low=tuple(low), high=tuple(high))
    mrml.show_rendering(state.changed(crop=box), node, scene, rendering, lambda _: None)


def redraw(node: Any, rendering: str, scene: Any) -> None:
    """Draw the volume rendering of a volume by another method, where there is one."""
    from hounsview import mrml

    if mrml.has_rendering(node):
        state = mrml.view_of(node, scene)
        mrml.show_rendering(state, node, scene, rendering, lambda _: None)


def restore(state: Any, node: Any, rendering: str, scene: Any) -> None:
    """Show a volume again as it was: window, volume rendering, surfaces, tissues.

    Where the person looks from stays, and so do layout and slices in 3D, which are no volume's.
    """
    from hounsview import mrml

    mrml.set_window(node, state.window)
    # What drew it before may have been replaced, and so be gone together with its successor.
    if state.show_volume or mrml.has_rendering(node):
        mrml.show_rendering(state, node, scene, rendering, lambda _: None)
    if mrml.companion(node, mrml.TISSUES) is None:
        state = state.changed(overlays=())  # a person deleted them: not to be found again
    mrml.show_tissues(state, node, scene, None, lambda _: None)
