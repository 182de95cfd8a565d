"""Other tools side by side with ours: the same summary of the same histories, timed, and counted where it is wrong."""
