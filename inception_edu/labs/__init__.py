"""The widgets, one file a lab."""
