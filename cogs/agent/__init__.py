"""The assistant: a member mentions the bot, and it answers and acts as that member, by a model behind an API."""
