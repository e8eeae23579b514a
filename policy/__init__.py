"""Pure decisions over facts: no I/O, no Discord objects; permission bits are ints."""
