"""Image files in and out: NIfTI, NRRD, MetaImage, npz, raw arrays."""
