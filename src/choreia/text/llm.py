"""A script from a language model behind any OpenAI-compatible endpoint: hosted, or local (llama.cpp, vLLM, Ollama, LM Studio).

LRCM fine-tunes GLM-4-FLASH for this (appendix A); `corpus` writes the conversations to do so. The answer has to be the JSON of `script`,
with times in bars, sections or seconds that are found in the song here, or the two-level text that a model so tuned writes; a wrong answer
is sent back with what is wrong with it. The key is read from OPENAI_API_KEY, sent to the endpoint, and stands in no message.
"""

from __future__ import annotations

import json
import os
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from itertools import pairwise
from typing import Any

from choreia.errors import ChoreiaError
from choreia.text import script as scripts
from choreia.text.lexicon import lexicon
from choreia.text.places import edges, section_names
from choreia.types import Music, Script

SYSTEM = (
    "You are a professional dance artist who choreographs dances to a user's prompt. Answer with one JSON object and nothing else: "
    '{"style": "genre, expressiveness, moving range, key elements", "moves": [{"from": "bar 1", "to": "bar 4", "text": "move names"}, '
    '{"at": "chorus 2", "text": "move names"}]}. Times are bars, beats, 8-counts ("eight 3"), sections or mm:ss; the last bar of a range '
    "belongs to it, moves do not overlap and none is past the end. Use the names of moves that dancers use."
)
"""What the model is told to be, after LRCM's appendix A.1."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "style": {"type": "string"},
        "moves": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("from", "to", "at", "text")},
                "required": ["text"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["style", "moves"],
    "additionalProperties": False,
}
"""JSON schema of an answer, sent along for servers that hold their model to one."""

LARGEST = 1 << 20
"""Bytes of the largest answer that is read."""

_URL_VARIABLES = ("OPENAI_BASE_URL", "OPENAI_API_BASE")

_FINAL = {
    401: "HTTP 401: set OPENAI_API_KEY to a key that it accepts",
    403: "HTTP 403: the key in OPENAI_API_KEY may not use this model",
    404: "HTTP 404: check the URL and the model's name",
}
"""Answers that asking again would not change."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Redirects are errors: they would carry the key to another host."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass(frozen=True)
class Endpoint:
    """A model at `url` (…/v1), asked at most `tries` times, each answered within `timeout_s`. The key is not shown."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout_s: float = 30.0
    tries: int = 3

    def write(self, prompt: str, music: Music) -> Script:
        """The model's script for a prompt.

        Raises:
            ChoreiaError: no answer, or none that is a script for this song, after all tries.
        """
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": f"{prompt.strip()}\n\n{about(music)}"}]
        schema, error = True, "not asked"
        for _ in range(max(1, self.tries)):
            try:
                answer = self.complete(messages, schema)
            except _Refused as refused:
                schema, error = schema and not refused.bad_request, str(refused)
                if refused.final:
                    break
                continue
            try:
                return read_answer(answer, music)
            except ChoreiaError as wrong:
                error = str(wrong)
                correction = f"That is not right: {error}. Answer again with the whole JSON object only."
                messages = [*messages[:2], {"role": "assistant", "content": answer[:4000]}, {"role": "user", "content": correction}]
        raise ChoreiaError(" ".join(f"the language model {self.model} at {self.url} gave no script: {error}".split()))

    def complete(self, messages: list[dict[str, str]], schema: bool = True) -> str:
        """The text of one answer to a conversation; `schema` asks for JSON of `SCHEMA`."""
        body: dict[str, Any] = {"model": self.model, "messages": messages, "temperature": 0}
        if schema:
            form = {"name": "script", "schema": SCHEMA}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {self.key}"} if self.key else {})}
        request = urllib.request.Request(f"{self.url.rstrip('/')}/chat/completions", json.dumps(body).encode(), headers, method="POST")
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=self.timeout_s) as response:
                raw = _within(response, time.monotonic() + self.timeout_s)
        except urllib.error.HTTPError as error:
            said = _FINAL.get(error.code, f"HTTP {error.code}")
            raise _Refused(f"it answered with {said}", error.code in {400, 422}, error.code in _FINAL) from error
        except ValueError as error:  # its words may hold the key
            raise _Refused("its URL or the key in OPENAI_API_KEY holds characters that cannot be sent", final=True) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise _Refused("it did not answer in time" if "timed out" in str(reason) else f"it cannot be reached ({reason})") from error
        return _content(raw)


class _Refused(Exception):
    """The server gave no answer; `bad_request` when it did not like the question, `final` when it will not like it again."""

    def __init__(self, words: str, bad_request: bool = False, final: bool = False) -> None:
        super().__init__(words)
        self.bad_request, self.final = bad_request, final


def endpoint(url: str | None = None, model: str | None = None, key: str | None = None, timeout_s: float = 30.0, tries: int = 3) -> Endpoint:
    """An endpoint from arguments, else from OPENAI_BASE_URL (or OPENAI_API_BASE), OPENAI_MODEL and OPENAI_API_KEY.

    Raises:
        ChoreiaError: no URL or model is known, or the URL is not http(s) or holds a password or a query.
    """
    url = url or next((os.environ[name] for name in _URL_VARIABLES if os.environ.get(name)), "")
    model = model or os.environ.get("OPENAI_MODEL", "")
    if not model:
        raise ChoreiaError("no language model: give its name, or set OPENAI_MODEL")
    if not url:
        raise ChoreiaError(f"no URL for the language model {model}: give it with --llm-url, or set OPENAI_BASE_URL")
    if re.search(r"[@?#]", url):
        raise ChoreiaError("the URL of a language model holds no password and no query: put the key into OPENAI_API_KEY")
    if not re.match(r"https?://[^\s/]+", url):
        raise ChoreiaError(f"{url[:80]!r} is not the URL of a language model: write it as http://localhost:8080/v1")
    key = os.environ.get("OPENAI_API_KEY", "").strip() if key is None else key
    return Endpoint(url.rstrip("/").removesuffix("/chat/completions"), model, key, timeout_s, tries)


def about(music: Music) -> str:
    """What a model has to know of a song: length, bars, sections, and the names of styles and moves."""
    facts = [f"The song lasts {music.duration_s:.1f} s."]
    if music.has_beat:
        facts.append(f"It has {len(edges('bar', music)) - 1} bars of {music.meter} beats at {float(music.tempo_bpm.mean()):.0f} BPM.")
    else:
        facts.append("It has no beat: give times as mm:ss.")
    styles = ", ".join(style.name for style in lexicon().styles)
    moves = ", ".join(term.name for term in lexicon().terms)
    facts += [f"Its sections: {section_names(music)}.", f"Styles that can be danced: {styles}.", f"Moves known by name: {moves}."]
    return " ".join(facts)


def read_answer(answer: str, music: Music) -> Script:
    """A model's answer as a Script: JSON, in a code fence or not, or the two-level text.

    Raises:
        ChoreiaError: neither, not of the schema, or times that the song does not have or that overlap.
    """
    script = _two_level(answer) if scripts.SEQUENCE in answer else _json(answer, music)
    moves = sorted(script.moves, key=lambda move: move.start_s)
    for first, second in pairwise(moves):
        if second.start_s < first.end_s - 0.25:
            raise ChoreiaError(f"the answer: {first.text[:40]!r} and {second.text[:40]!r} overlap at {second.start_s:.1f} s")
    if moves and moves[-1].end_s > music.duration_s + 0.1:
        raise ChoreiaError(f"the answer: {moves[-1].text[:40]!r} ends past the end of the song at {music.duration_s:.1f} s")
    return Script(script.style, tuple(moves))


def _two_level(answer: str) -> Script:
    """The two-level text in an answer, without what is said before it and the fence around it."""
    return scripts.from_text(answer[max(0, answer.find(scripts.STYLE)) :].strip().removesuffix("```"), "the answer")


def _json(answer: str, music: Music) -> Script:
    fenced = re.search(r"```(?:json)?\s*(\{.*\})\s*```", answer, re.DOTALL)
    try:
        return scripts.from_json(json.loads(fenced[1] if fenced else answer.strip()), music, "the answer")
    except (ValueError, OverflowError, RecursionError) as error:
        raise ChoreiaError(f"the answer is not JSON: {str(error)[:80]}") from error


def _within(response: HTTPResponse, deadline_s: float) -> bytes:
    """The body, read piece by piece so that a server that drips it cannot hold us."""
    raw = b""
    while piece := response.read1(1 << 16):
        raw += piece
        if len(raw) > LARGEST:
            raise _Refused("its answer is larger than 1 MiB")
        if time.monotonic() > deadline_s:
            raise _Refused("it did not answer in time")
    return raw


def _content(raw: bytes) -> str:
    """The text in the body of an answer."""
    try:
        content = json.loads(raw)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise _Refused("its answer is not that of a chat completion") from error
    if not isinstance(content, str):
        raise _Refused("its answer holds no text")
    return content
