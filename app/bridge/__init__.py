"""Joins the legs of one call: events in, commands out."""
