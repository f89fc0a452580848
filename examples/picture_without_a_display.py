"""Draw the four-pane picture of a volume with a lung window, without any display.

python examples/picture_without_a_display.py [PATH [OUT.png]]
"""

import sys
from pathlib import Path

import hounsview as hv
from hounsview_vizapp import pictures

volume = hv.load(sys.argv[1]) if len(sys.argv) > 1 else hv.phantom("thorax")
out = Path(sys.argv[2]) if len(sys.argv) > 2 else Path("lung.png")
state = pictures.with_window(hv.ViewState(), "lung")
pictures.save_png(pictures.picture_of(volume, state, (1000, 1000)), out)
print(out)
