"""The Redis layout: the only room that knows keys and records."""
