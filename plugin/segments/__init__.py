"""Segment jobs over HTTP."""
