"""Sound in, an analysed song out."""
