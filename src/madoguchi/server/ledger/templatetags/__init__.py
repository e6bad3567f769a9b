"""Filters for the evidence pages."""
