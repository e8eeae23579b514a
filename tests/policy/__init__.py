"""Pure decisions over facts."""
