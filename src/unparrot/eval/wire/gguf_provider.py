"""GGUF files as models of Inspect: ``gguf/PATH``, written ``gguf:PATH`` on the command line.

The provider is Inspect's own for the OpenAI protocol, over a server that it starts
(`unparrot.eval.wire.gguf_server`). The roles of a run that name one file share one server.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

from inspect_ai.model import GenerateConfig, ModelAPI, ModelOutput, modelapi

from unparrot.core.errors import BadInput
from unparrot.eval.wire.gguf_server import SLOTS, GgufServer

_servers: WeakValueDictionary[str, GgufServer] = WeakValueDictionary()


@modelapi(name="gguf")
def gguf() -> type[ModelAPI]:
    """Return the class that answers for ``gguf/...``."""
    from inspect_ai.model._providers.openai_compatible import OpenAICompatibleAPI
    from openai import APIStatusError

    class GgufAPI(OpenAICompatibleAPI):
        """A GGUF file; ``model_args`` are those of `GgufServer`."""

        def __init__(
            self,
            model_name: str,
            base_url: str | None = None,
            api_key: str | None = None,
            config: GenerateConfig | None = None,
            **model_args: Any,
        ) -> None:
            if base_url is not None:
                raise BadInput(f"gguf/{model_name} starts its own server; leave --base-url out")
            if unknown := set(model_args) - {"context", "threads", "chat_template"}:
                raise BadInput(
                    f"gguf/{model_name} knows the arguments context, threads and chat_template, "
                    f"not {', '.join(sorted(unknown))}"
                )
            key = repr((model_name, sorted(model_args.items())))
            self.server = _servers.get(key) or GgufServer(model_name, **model_args)
            _servers[key] = self.server
            self.identity = self.server.identity
            super().__init__(
                model_name,
                self.server.address,
                self.server.key,
                config or GenerateConfig(),
                service="gguf",
            )

        def service_model_name(self) -> str:
            return self.server.identity

        def max_connections(self) -> int:
            return SLOTS

        def handle_bad_request(self, ex: APIStatusError) -> ModelOutput | Exception:
            if "exceeds the available context" not in str(ex):
                return super().handle_bad_request(ex)
            return ModelOutput.from_content(self.model_name, "", stop_reason="model_length")

        async def aclose(self) -> None:
            await super().aclose()
            del self.server  # the last of its users stops it

    return GgufAPI
