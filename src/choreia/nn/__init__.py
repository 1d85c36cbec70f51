"""Blocks that two papers use: no paper names here."""
