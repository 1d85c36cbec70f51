"""Choreia: music, dance, words and stage light that condition and generate one another."""

__version__ = "0.1.0"
