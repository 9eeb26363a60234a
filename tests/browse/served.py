"""A live server for the tests, asked by http.client; and what stands for a collection where its map does not matter."""

from __future__ import annotations

import http.client
import json
import threading
import time
from contextlib import contextmanager

import numpy as np
import torch

from praxino.browse.guard import POLICY, Guard
from praxino.browse.serving import listening, server_of
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.views.pipeline import View
from toys import ToyBackbone

TOKEN = "s3cret"


class Live:
    """A server that listens."""

    def __init__(self, port):
        self.port = port

    def ask(self, path, method="GET", body=None, headers=None, token=TOKEN):
        """Status, headers (small letters) and body. The path is sent as it is."""
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            asked.putrequest(method, f"/{token}/{path}" if token else path, skip_host="Host" in (headers or {}))
            sent = {**({"Content-Length": str(len(body))} if body is not None else {}), **(headers or {})}
            for name, value in sent.items():
                asked.putheader(name, value)
            asked.endheaders(body)
            answered = asked.getresponse()
            return answered.status, {k.lower(): v for k, v in answered.getheaders()}, answered.read()
        finally:
            asked.close()

    def json(self, path, **how):
        """Status and what the JSON says."""
        status, headers, body = self.ask(path, **how)
        assert headers["content-type"] == "application/json"
        return status, json.loads(body)


def encoder():
    """The one of the index."""
    torch.manual_seed(0)
    return Encoder(ToyBackbone(), {"seen": View([])}, EvenClips(3, 4, 1, short="repeat"), centred=False).eval()


@contextmanager
def live(app, policy=POLICY, port=None, token=TOKEN):
    """Serves an app in a thread, on a free port unless one is given."""
    one = listening(port)
    port = one.getsockname()[1]
    server = server_of(Guard(app, token, port, policy))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [one]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield Live(port)
    finally:
        server.should_exit = True
        thread.join(20)
        one.close()
    assert not thread.is_alive()


class Standing:
    """Stands for a collection: the clips of an index in their order, on a line."""

    def __init__(self, index, root=None):
        self.index, self.root = index, root
        self.lines = np.unique(index.owners)

    def __len__(self):
        return len(self.index)

    def about(self):
        videos = [{"id": self.index.record(int(line)).id, "label": -1} for line in self.lines]
        return {"name": "standing", "clips": len(self), "videos": videos}

    def arrays(self):
        line = np.linspace(-1, 1, len(self), dtype="<f4")
        return {
            "points": np.stack([line, 0 * line], 1).tobytes(),
            "seconds": self.index.seconds.astype("<f4").tobytes(),
            "owners": np.searchsorted(self.lines, self.index.owners).astype("<i4").tobytes(),
            "groups": np.zeros(len(self), "<i4").tobytes(),
        }

    def neighbours(self, row, k=12):
        return self.hits(self.index.search(self.index.vectors[row], k, without=np.array([row])))

    def hits(self, hits):
        own = [int(np.searchsorted(self.lines, self.index.owners[hit.row])) for hit in hits]
        return [
            {"row": hit.row, "video": at, "start": hit.start, "end": hit.end, "similarity": hit.similarity}
            for at, hit in zip(own, hits, strict=True)
        ]

    def video(self, number):
        return self.index.video(int(self.lines[number]), self.root)

    def moment(self, row):
        start, end = self.index.seconds[row]
        return int(np.searchsorted(self.lines, self.index.owners[row])), float(start), float(end)
