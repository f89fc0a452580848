"""Controls beside a canvas: ordinary ipywidgets, each usable alone."""
