"""What customers do, taken in as it happens."""
