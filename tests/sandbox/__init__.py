"""The sandbox, tried with an unmodified discord.py client."""
