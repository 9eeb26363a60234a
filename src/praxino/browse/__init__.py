"""A page on this machine over an index of videos: a map of all clips, their groups, and what is near what."""
