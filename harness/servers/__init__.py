"""Servers under test and the proxies before them: prepared, started, ready, and ended."""
