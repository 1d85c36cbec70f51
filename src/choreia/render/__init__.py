"""Motion to pictures: a lit dancer on a stage, in software; `video.render` for films, `still.still` and `still.sheet` for pictures."""
