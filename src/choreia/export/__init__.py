"""Performances to files."""
