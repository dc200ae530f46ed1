"""From which day may a medical image lawfully be purged, under which statute, and what must be done first."""

__version__ = "0.1.0"
