"""What a business writes: the agent file, how it is read, and which agent answers which number."""
