"""Discord's face: slash commands, listeners and buttons, each a thin family over the operations."""
