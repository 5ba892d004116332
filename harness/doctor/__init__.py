"""Finds the layer that holds a stream back: in an app, its server, a proxy, or whatever a URL leads to."""
