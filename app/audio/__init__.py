"""Numbers in, numbers out: formats, G.711, resampling, the two directions of one call, WAV files."""
