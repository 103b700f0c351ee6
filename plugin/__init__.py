"""HTTP: content at send time, landing pages, events, segments, operations."""
