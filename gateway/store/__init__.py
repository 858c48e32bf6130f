"""What the gateway remembers: the journal of changes and the code packages."""
