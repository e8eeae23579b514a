"""Operations on the platform itself."""
