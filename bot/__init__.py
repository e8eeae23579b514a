"""The core process: the command line, the composition root and the Discord client."""
