"""Real processes, and the proof that nothing is left of them."""
