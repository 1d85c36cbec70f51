"""Music, movement and stage in one model: the multimodal fusion model for musical theatre."""
