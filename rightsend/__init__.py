"""The bootstrap: command line, processes, jobs, clock. The one room that may import all others."""
