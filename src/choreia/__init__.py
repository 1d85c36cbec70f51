"""Choreia: music, dance, words and stage light that condition and generate one another."""
