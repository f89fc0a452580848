"""Helpers of the HounsView module, thin over `hounsview.mrml`."""
