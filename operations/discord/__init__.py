"""Operations on Discord, a file a noun."""
