"""Which OpenGL VTK finds here, asked in a process of its own.

Without an X11 or EGL library a VTK render window ends in a segmentation fault that no
``except`` catches, and with a broken driver it may hang: so a child process tries first.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import cache
from typing import Final

from hounsview.errors import RenderingUnavailableError
from hounsview_vizapp.importing import imported

_SOFTWARE: Final = ("llvmpipe", "softpipe", "swr", "software", "swiftshader", "basic render")
_TIMEOUT_S: Final = 60
_asking = threading.Lock()
_PROBE: Final = """
import json
from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow
import vtkmodules.vtkRenderingOpenGL2
window = vtkRenderWindow()
window.SetOffScreenRendering(True)
window.SetSize(8, 8)
window.AddRenderer(vtkRenderer())
window.Render()
lines = window.ReportCapabilities().splitlines()
names = [line.split(":", 1)[1].strip() for line in lines if "renderer string" in line]
print("probe:" + json.dumps([window.GetClassName(), names[0] if names else ""]))
window.Finalize()
"""


@dataclass(frozen=True)
class OpenGL:
    """What draws 3D here.

    Parameters
    ----------
    window_class : str
        VTK's render window, such as ``"vtkEGLRenderWindow"``.
    renderer : str
        What the driver calls itself.
    """

    window_class: str
    renderer: str

    @property
    def is_software(self) -> bool:
        """Whether the CPU draws: Mesa's llvmpipe and its like."""
        name = self.renderer.lower()
        return not name or any(word in name for word in _SOFTWARE)


def prefer_egl() -> None:
    """Let VTK draw through EGL where there is no display; before its first window."""
    headless = sys.platform == "linux" and not os.environ.get("DISPLAY")
    if headless:
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")


def opengl() -> OpenGL:
    """Return what draws 3D on this machine; asked once in a process.

    Raises
    ------
    RenderingUnavailableError
        If nothing does; the message names what to install.
    """
    with _asking:
        answer = _answer()
    if isinstance(answer, str):
        raise _unavailable(answer)
    return answer


def prepare() -> None:
    """Ask for OpenGL and import VTK, so that the first picture need not wait for them.

    A front end calls it at its start, in a thread, while somebody still chooses a folder.
    """
    prefer_egl()
    asking = threading.Thread(target=_ask_ahead, name="hounsview-opengl")
    asking.start()
    imported("vtkmodules.vtkRenderingVolumeOpenGL2", "pyvista", "pyvista.plotting")
    asking.join()


def _ask_ahead() -> None:
    with _asking:
        _answer()


@cache
def _answer() -> OpenGL | str:
    """Return what draws 3D, or why nothing does."""
    prefer_egl()
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE],
            capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the trial did not end: {error}"
    for line in done.stdout.splitlines():
        if line.startswith("probe:"):
            return OpenGL(*json.loads(line.removeprefix("probe:")))
    return f"the trial ended with status {done.returncode}"


def _unavailable(reason: str) -> RenderingUnavailableError:
    msg = (
        f"3D pictures need OpenGL, and VTK finds none here ({reason}). On Debian or Ubuntu "
        "install libegl1 libegl-mesa0 libgl1-mesa-dri; slices work without."
    )
    return RenderingUnavailableError(msg)
