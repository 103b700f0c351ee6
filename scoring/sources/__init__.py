"""Where data comes from: one module a source type, one mapping to canonical columns for all."""
