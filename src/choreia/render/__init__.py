"""Takes to pictures and video, on any machine."""
