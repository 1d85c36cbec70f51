"""Prompts to a Script and a Script to vectors: times and names of moves read, expanded over a song, written, encoded."""
