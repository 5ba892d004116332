"""Broken HTTP responses: named ones, generated ones, and a server that sends them in its own time."""
