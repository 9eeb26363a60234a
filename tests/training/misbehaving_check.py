"""Answers as `praxino.training.convolution_check` does, but misbehaves as a faulty kernel would; it needs no torch.

The words after the script say at how many rows, and how: ROWS=HOW, where HOW is "abort", "hang", "exit", "wrong", or
"spoil": that one is right, but the next one kills, or the end.
"""

import json
import os
import sys
import time

HOW = dict(word.split("=") for word in sys.argv[1:])


def say(**said):
    print("chatter of a library")
    print(json.dumps(said), flush=True)


spoilt = False
settings = json.loads(sys.stdin.readline())
say(ready=True)
for line in sys.stdin:
    if spoilt:
        os.abort()
    how = HOW.get(str(json.loads(line)["convolution"]["shape"][0]))
    say(fp32_seconds=0.01)
    if how == "abort":
        os.abort()
    if how == "hang":
        time.sleep(600)
    if how == "exit":
        sys.exit()
    spoilt = how == "spoil"
    say(right=how != "wrong", why=f"from {os.getpid()}")
if spoilt:
    os.abort()
