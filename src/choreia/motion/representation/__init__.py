"""Takes on choreia-24 as rows of numbers that models learn: one class per layout, with named slices and its inverse.

Every class has `dim`, `slices` and `encode`; those with rotations have `decode(values, fps)`, the views `positions(values)`.
"""

from choreia.motion.representation.heading import Heading152, heading
from choreia.motion.representation.humanml import Hml263
from choreia.motion.representation.joints import H36M_JOINTS, H36m17, Joints22
from choreia.motion.representation.motorica import Expmap61
from choreia.motion.representation.sixd import Edge151, Smpl6d147

__all__ = ["H36M_JOINTS", "Edge151", "Expmap61", "H36m17", "Heading152", "Hml263", "Joints22", "Smpl6d147", "heading"]
