"""Which figure is danced, and in which style: the judges of dances that were asked for in words."""
