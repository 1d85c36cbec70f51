"""LRCM: rhythm from music, movements from words, long dances from memory."""
