"""One module a command: options in, one call, result out."""
