"""HTTP as a source needs it: bounded, guarded, patient, and silent about credentials."""
