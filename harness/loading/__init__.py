"""The load: its driver, the load processes that share it, the line before it, and what they hand over."""
