"""The desktop viewer: plain Qt widgets that show frames; no OpenGL inside Qt.

Needs PySide6, which the extra ``hounsview[desktop]`` brings.
"""
