"""Helpers of the HounsView module, thin over `hounsview.mrml`."""

from HounsViewLib import paths

paths.add()
