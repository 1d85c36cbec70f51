"""The default model: LRCM's conditions and memory over DanceMeld's latents."""
