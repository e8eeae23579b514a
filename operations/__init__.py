"""What Guildhall can do, and the one road to it."""
