"""What is particular about the tables of conversations: the readers and hooks that their declarations name."""
