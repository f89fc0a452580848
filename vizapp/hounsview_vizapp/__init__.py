"""The pictures of hounsview: panes, volume rendering and the command line."""

from __future__ import annotations
