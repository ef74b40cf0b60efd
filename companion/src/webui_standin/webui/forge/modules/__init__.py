"""What Forge and reForge have in `modules` beside the rest."""
