"""The bootstrap: command line, processes, jobs and clock. The one room that may import all others."""
