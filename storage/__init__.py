"""The database and Redis: tables, limits and one store for each noun."""
