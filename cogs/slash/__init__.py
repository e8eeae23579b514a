"""Slash commands: thin over operations, most of them made from an operation's own declaration."""
