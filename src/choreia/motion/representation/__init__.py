"""Takes on choreia-24 as rows of numbers that models learn: one class per layout, with named slices and its inverse."""

from choreia.motion.representation.heading import Heading152, heading
from choreia.motion.representation.sixd import Edge151, Smpl6d147

__all__ = ["Edge151", "Heading152", "Smpl6d147", "heading"]
