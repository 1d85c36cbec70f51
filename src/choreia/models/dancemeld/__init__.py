"""DanceMeld: hierarchical latent codes for music to dance. Start with README.md, then `model.py`."""
