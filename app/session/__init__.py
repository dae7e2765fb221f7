"""The heart of a call, without input or output: what happened goes in, what to do comes out."""
