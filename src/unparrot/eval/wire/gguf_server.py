"""The llama.cpp server of one GGUF file, on loopback, in a process that ends with ours.

A process of its own keeps llama.cpp's log off the terminal, Ctrl-C away from calls under way, and a
crash in native code away from the run. It is sent its settings on one line of its standard input,
answers with its address, and exits when that input closes, however our process ends.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import re
import secrets
import subprocess
import sys
import tempfile
import weakref
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from unparrot.core.errors import BadInput, MissingExtra
from unparrot.core.machine import available_cores

SLOTS: Final = 4
"""Calls of a model at a time: small models write four texts in about the time of one."""
_HEADER: Final = 1 << 26  # bytes that hold the metadata of any file


class GgufServer:
    """A server that runs until `stop`, or until nothing refers to it.

    Parameters
    ----------
    name
        Path of a GGUF file.
    context
        Tokens that a conversation may have, reply included.
    threads
        Of llama.cpp; None for the cores that this process may use.
    chat_template
        A Jinja template, or the name of one that llama.cpp has, for a file without.

    Attributes
    ----------
    address, key
        URL of the OpenAI protocol, and the key that it asks for: others on the machine are refused.
    identity
        Name of the file and its SHA-256, which replies name as their model.

    Raises
    ------
    BadInput
        If the file is missing, no GGUF, has no chat template, or cannot be loaded.
    MissingExtra
        If xllamacpp is not installed.
    """

    def __init__(
        self,
        name: str,
        context: int = 8192,
        threads: int | None = None,
        chat_template: str = "",
    ) -> None:
        path = Path(name).expanduser()
        for what, value in (("context", context), ("threads", threads or 1)):
            if not isinstance(value, int) or not 1 <= value <= 1 << 24:  # pyright: ignore[reportUnnecessaryIsInstance]
                raise BadInput(f"{what} of a GGUF model is a whole number from 1, not {value!r}")
        digest = _checked(path, name, has_template=bool(chat_template))
        if find_spec("xllamacpp") is None:
            raise MissingExtra("local", "xllamacpp")
        self.key, self.identity = secrets.token_hex(16), f"{path.name}@sha256:{digest}"
        threads = threads or available_cores()
        settings = [str(path), self.identity, self.key, context, threads, chat_template]
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for our process, which ends this one
            )
            assert process.stdin
            assert process.stdout
            self.stop = weakref.finalize(self, _stop, process)
            process.stdin.write(json.dumps(settings).encode() + b"\n")
            process.stdin.flush()
            self.address = process.stdout.readline().decode().strip() + "/v1"
            if self.address == "/v1":
                self.stop()
                log.seek(0)
                why = _why(log.read().decode(errors="replace"))
                raise BadInput(f"{name} cannot be loaded: {why}")


def _checked(path: Path, name: str, *, has_template: bool) -> str:
    """The SHA-256 of a file that is what it should be."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise BadInput(f"{name} is not a GGUF file, which begins with the letters GGUF")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                template = has_template or content.find(b"tokenizer.chat_template", 0, _HEADER) > 0
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(f"{name} cannot be read: {error.strerror}") from error
    if not template:
        raise BadInput(
            f"{name} has no chat template, so it is no model that was tuned to follow prompts; "
            "take one that was, or name a template: --model-arg (--grader-arg) chat_template=chatml"
        )
    return digest


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def _why(log: str) -> str:
    """The first error in llama.cpp's log, without its time and function."""
    error = re.search(r" E (?:[^\n]*?: )?([^\n]+)", log)
    return error[1] if error else log.strip().rpartition("\n")[2] or "no reason given"


def serve() -> None:
    """Serve what standard input says, until it closes."""
    xllamacpp: Any = import_module("xllamacpp")  # it has no types
    path, identity, key, context, threads, chat_template = json.loads(sys.stdin.readline())
    parameters = xllamacpp.CommonParams()
    parameters.model.path, parameters.model_alias = path, {identity}
    parameters.api_keys = [key]
    parameters.n_parallel, parameters.n_ctx = SLOTS, SLOTS * context
    for cores in (parameters.cpuparams, parameters.cpuparams_batch):
        # waiting threads sleep: another model may be at work on the same cores
        cores.n_threads, cores.poll = threads, 0
    # nothing shapes a reply but what a call asks for
    sampling = parameters.sampling
    sampling.top_k, sampling.top_p, sampling.min_p = 0, 1.0, 0.0
    # by name there are only templates that are no Jinja
    parameters.chat_template = chat_template
    parameters.use_jinja = not chat_template or "{" in chat_template
    parameters.ui = parameters.endpoint_slots = parameters.warmup = False
    parameters.verbosity = 1  # errors
    try:
        server = xllamacpp.Server(parameters)
        prompt = {"role": "user", "content": "?"}
        server.handle_chat_completions({"messages": [prompt], "max_tokens": 1})
    except RuntimeError as error:  # no template of the name, say; other causes are in the log
        print(f" E {error}", file=sys.stderr, flush=True)
        os._exit(1)  # leaving in order would wait for threads of llama.cpp that may never end
    print(server.listening_address, flush=True)
    sys.stdin.read()
    os._exit(0)  # without waiting for replies that nobody reads


if __name__ == "__main__":
    serve()
