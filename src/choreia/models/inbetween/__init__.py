"""In-betweens: a small Transformer corrects an interpolation between kept frames of a dance."""
