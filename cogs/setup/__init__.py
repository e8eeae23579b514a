"""Setting up a guild: the card on joining, /setup, and what an inert guild is told."""
