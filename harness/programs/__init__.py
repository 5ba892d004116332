"""The programs that a run starts: owned, pinned, and ended however it ends."""
