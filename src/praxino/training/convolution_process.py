"""Convolutions checked in processes of their own: whatever a kernel does there, an answer comes back."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

from praxino.training.convolution_check import Verdict
from praxino.training.convolutions import Convolution, Way

Question = tuple[Convolution, Way]

COMMAND = (sys.executable, "-m", "praxino.training.convolution_check")
START_SECONDS, END_SECONDS = 120.0, 30.0
GRACE_SECONDS, SLOWEST = 10.0, 6.0  # a kernel may take this long, and so many times what fp32 takes besides
SOILED = "128"  # glibc fills fresh memory with the byte 127: what reads out of bounds does not find zeros by luck


class NotStarted(Exception):
    """The process did not come up; the reason in a few words."""


def answers(
    questions: Iterable[Question],
    settings: Mapping[str, Any],
    command: Sequence[str] = COMMAND,
    grace: float = GRACE_SECONDS,
) -> dict[Question, Verdict]:
    """The verdict on each question.

    A process answers one after another, up to the first wrong answer: it may have written out of bounds, so nothing is
    asked of it any more. Where a process dies, the cause may be an earlier question than the last: the last is asked
    again alone, and the earlier ones without it.

    Args:
        questions: what is asked.
        settings: "precision", "threads", and "device" as torch names it.
        command: starts the process.
        grace: seconds that an answer may take besides `SLOWEST` times those of fp32.

    Raises:
        NotStarted: if no process comes up.
    """
    found: dict[Question, Verdict] = {}
    groups = [list(questions)]
    while groups:
        group = groups.pop()
        if not group:
            continue
        with _Process(command, settings, grace) as process:
            said = process.answers(group)
        if process.death is None:
            found.update(zip(group, said, strict=False))
            groups.append(group[len(said) :])
        elif len(group) == 1:
            killed = process.death == "SIGKILL"  # by the system or a person: it need not be so again
            found[group[0]] = Verdict(False, f"its process died ({process.death})", lasting=not killed)
        elif len(said) == len(group):
            groups += [[one] for one in group]
        else:
            last = len(said)
            groups += [group[last + 1 :], group[:last], [group[last]]]
    return found


class _Process:
    """One process that answers.

    Attributes:
        death: how it died by itself; None where it did not.
    """

    def __init__(self, command: Sequence[str], settings: Mapping[str, Any], grace: float) -> None:
        self.command, self.settings, self.grace = command, settings, grace
        self.death: str | None = None

    def __enter__(self) -> _Process:
        self.errors: IO[bytes] = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, encoding="utf-8",
                env={**os.environ, "MALLOC_PERTURB_": SOILED},
            )  # fmt: skip
        except OSError as error:
            self.errors.close()
            raise NotStarted(error.strerror or str(error)) from None
        self.lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self._write(self.settings)
        try:
            ready = self._next(START_SECONDS)
        except queue.Empty:
            ready = None
        if ready is None:
            self.__exit__()
            raise NotStarted(self.last_words)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self._close_input()
        self.process.wait()
        self.reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        self.last_words = lines[-1][:200] if lines else "it ended without a word"
        self.errors.close()

    def answers(self, group: Sequence[Question]) -> list[Verdict]:
        """The verdicts on the first questions, up to a wrong one, or to the process's death."""
        said: list[Verdict] = []
        for question in group:
            verdict = self._answer(question)
            if verdict is None:
                self.death = self._death() or "it ended without an answer"
                return said
            said.append(verdict)
            if not verdict.right:
                return said
        self._close_input()
        self.death = self._death()  # what was written out of bounds may show only now
        return said

    def _answer(self, question: Question) -> Verdict | None:
        convolution, way = question
        self._write({"convolution": convolution.plain(), "way": way})
        limit, fp32_seconds = START_SECONDS, 0.0
        while True:
            try:
                line = self._next(limit)
            except queue.Empty:
                return Verdict(False, f"no answer within {limit:.0f} s", limit, fp32_seconds, late=True)
            if line is None:
                return None
            if "right" in line:
                return Verdict(**line)
            fp32_seconds = line["fp32_seconds"]
            limit = self.grace + SLOWEST * fp32_seconds

    def _death(self) -> str | None:
        try:
            code = self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return "it did not end"
        if code < 0:
            return signal.Signals(-code).name
        return f"exit code {code}" if code else None

    def _write(self, line: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # that it has died shows where its answer is read
            self.process.stdin.write(json.dumps(line) + "\n")
            self.process.stdin.flush()

    def _close_input(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def _next(self, seconds: float) -> dict[str, Any] | None:
        """The next line of its own; None at its end.

        Raises:
            queue.Empty: if none comes in time.
        """
        return self.lines.get(timeout=seconds)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue  # a library's chatter
            if isinstance(said, dict):
                self.lines.put(said)
        self.lines.put(None)
