"""Dialtone answers the telephone: a caller on one side, a realtime AI model on the other."""
