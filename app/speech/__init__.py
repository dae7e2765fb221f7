"""Voices and ears that are not the realtime model, and the fixed sentences that they speak."""
