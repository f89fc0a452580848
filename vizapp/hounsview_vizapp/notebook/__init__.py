"""The notebook's front end: the viewer in a cell, over nothing but the kernel's connection."""
