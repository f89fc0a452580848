"""From the bytes of DICOM files to described and decoded frames."""
