"""One 3D picture, for whoever wants no more: (volume, state, size) -> picture."""

from __future__ import annotations

from hounsview.tissuemap import TissueMap
from hounsview.viewstate import ViewState
from hounsview.volume import Volume
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.rendering.scene import Scene


def volume_pane(
    volume: Volume,
    state: ViewState,
    size: tuple[int, int],
    *,
    pixel_ratio: float = 1.0,
    tissues: TissueMap | None = None,
) -> Picture:
    """Return one 3D picture of a volume, at the finest that the state's quality asks for.

    Parameters
    ----------
    volume : Volume
        Of unit "HU".
    state : ViewState
    size : (rows, columns)
        Of the picture, px.
    pixel_ratio : float
        Pixels of the picture per point of the screen: text grows with it.
    tissues : TissueMap, optional
        What surfaces of tissues are made from; without it from their HU levels.

    Returns
    -------
    (rows, columns, 3) uint8 RGB

    Raises
    ------
    NotHounsfieldError
        If the unit is not HU: transfer functions speak of tissue.
    RenderingUnavailableError
        If VTK finds no OpenGL.
    """
    with Scene(volume, tissues=tissues) as scene:
        return scene.picture(state, size, pixel_ratio=pixel_ratio)
