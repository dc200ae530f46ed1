"""Where facts come from: DICOM headers, folders, tables; the inventory that audits read."""
