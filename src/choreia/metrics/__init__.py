"""Pure functions that measure, with null models."""
