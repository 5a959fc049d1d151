"""What the chapters teach with: checks of exercises and their diagnoses, plots."""
