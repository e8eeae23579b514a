"""Attacks to withstand; each test bears the number of its line in the list of attacks."""
