"""Host tools for benchmarks: the rules of the sandbox's doubles at the speed of the real ones."""
