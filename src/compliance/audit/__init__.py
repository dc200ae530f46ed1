"""Decisions over an archive: profile, facts of each study, findings, waivers, deletions."""
