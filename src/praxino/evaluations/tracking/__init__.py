"""Object tracking: how well a frozen representation follows what a box marks in the first frame."""
