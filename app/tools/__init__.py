"""What the model may call in a call: the tools of an agent file, and the leg that runs them."""
