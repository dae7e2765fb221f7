"""The rules of a call, each a function of its state: what happened → what to do."""
