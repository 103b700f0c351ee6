"""What the intake of events holds: nothing lost, nothing twice, and how soon an answer knows."""
