"""Motion to pictures: a lit dancer on a stage, in software; `video.render` for films, `still` and `sheet` for pictures."""

from choreia.render.stills import sheet, still

__all__ = ["sheet", "still"]
