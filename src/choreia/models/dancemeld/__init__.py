"""DanceMeld: hierarchical latent codes for music to dance."""
