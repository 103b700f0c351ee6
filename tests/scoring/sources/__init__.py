"""Tests of scoring.sources."""
