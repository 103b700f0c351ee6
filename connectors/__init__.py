"""Host tools: one folder each, and delivery, which they share."""
