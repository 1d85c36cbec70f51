"""A language model behind a local server that answers right, wrong, not at all: a script comes back, or one line why not."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from choreia.errors import ChoreiaError
from choreia.text.expand import expand
from choreia.text.llm import Endpoint, endpoint, read_answer
from test_text_times import song

RIGHT = json.dumps(
    {"style": "popping, sharp", "moves": [{"from": "bar 1", "to": "bar 4", "text": "arm wave"}, {"at": "chorus 2", "text": "glide"}]}
)
LATE = json.dumps({"style": "popping", "moves": [{"from": "bar 1", "to": "bar 400", "text": "arm wave"}]})
TWO_LEVEL = "Dance style characteristics: popping\n\nDance movement sequence:\n\n- 00:00:02.000 - 00:00:04.500: arm wave\n"
EXTRA = json.dumps({"style": "popping", "moves": [{"when": "bar 1", "text": "arm wave"}]})


HUGE = json.dumps({"style": "popping", "moves": [{"start_s": 0, "end_s": 10**400, "text": "arm wave"}]})


def chat(content: str) -> tuple[int, str]:
    return 200, json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]})


class Server(ThreadingHTTPServer):
    """Answers requests from a list, the last one again and again, and keeps what it was asked."""

    def __init__(self, answers: list[tuple[int, str]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked, self.headers = answers, list[dict](), list[dict]()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        code, body = self.server.answers[min(len(self.server.asked), len(self.server.answers) - 1)]
        self.server.asked.append({"path": self.path, **asked})
        self.server.headers.append(dict(self.headers))
        if code == 0:
            time.sleep(0.6)
        self.send_response(code or 200)
        if code in (302, 307):
            self.send_header("Location", body)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client gave up, as it should
            for piece in body if code == 1 else [body]:
                self.wfile.write(piece.encode())
                time.sleep(0.05 if code == 1 else 0)

    def log_message(self, *_):
        pass

    def send_response(self, code, message=None):
        super().send_response(200 if code == 1 else code, message)


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running = []

    def start(*answers) -> tuple[Server, Endpoint]:
        server = Server(list(answers))
        running.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server, Endpoint(f"http://127.0.0.1:{server.server_port}/v1", "tiny", "secret", timeout_s=0.3)

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def test_a_right_answer_becomes_a_script(serve):
    server, model = serve(chat(RIGHT))
    found = expand("something with waves", song(), llm=model)
    assert [(m.start_s, m.end_s, m.text) for m in found.script.moves] == [(0, 8, "arm wave"), (48, 64, "glide")]
    assert found.script.style == "popping, sharp" and found.warnings == ()
    asked = server.asked[0]
    assert asked["path"] == "/v1/chat/completions" and asked["model"] == "tiny"
    assert server.headers[0]["Authorization"] == "Bearer secret"
    assert "40 bars of 4 beats" in asked["messages"][1]["content"] and "chorus (3 times)" in asked["messages"][1]["content"]
    assert asked["response_format"]["type"] == "json_schema"


def test_what_is_asked_tells_the_song_and_the_words_that_can_be_danced(serve):
    server, model = serve(chat(RIGHT))
    model.write("a thing", song())
    question = server.asked[0]["messages"][1]["content"]
    for word in ("a thing", "80.0 s", "120 BPM", "popping", "waltz", "arm wave", "running man"):
        assert word in question


@pytest.mark.parametrize("answer", [TWO_LEVEL, f"Here you are:\n```\n{TWO_LEVEL}```"])
def test_a_model_tuned_on_the_corpus_answers_in_its_format(serve, answer):
    script = serve(chat(answer))[1].write("waves", song())
    assert script.style == "popping" and [(m.start_s, m.end_s, m.text) for m in script.moves] == [(2.0, 4.5, "arm wave")]


@pytest.mark.parametrize(
    "wrong", ["I would love to!", EXTRA, LATE, "[]", '{"style": 3}', "1" * 5000, HUGE, TWO_LEVEL.replace("04.5", "01.5")]
)
def test_a_wrong_answer_is_sent_back_with_what_is_wrong(serve, wrong):
    server, model = serve(chat(wrong), chat(f"Sure:\n```json\n{RIGHT}\n```"))
    assert model.write("waves", song()).style == "popping, sharp"
    assert len(server.asked) == 2
    roles = [message["role"] for message in server.asked[1]["messages"]]
    assert roles == ["system", "user", "assistant", "user"] and "not right" in server.asked[1]["messages"][3]["content"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (chat("no JSON here"), "not JSON"),
        (chat(EXTRA), "give its time"),
        (chat(LATE), "past the end"),
        ((500, "oops"), "HTTP 500"),
        ((200, "not a completion"), "not that of a chat completion"),
        ((200, '{"choices": []}'), "not that of a chat completion"),
        ((0, ""), "did not answer in time"),
        ((1, "x" * 40), "did not answer in time"),
        ((200, "x" * (1 << 20) + "xx"), "larger than 1 MiB"),
    ],
)
def test_after_three_tries_the_prompt_is_read_by_rule(serve, answer, words):
    server, model = serve(answer)
    found = expand("bars 1-4: arm wave", song(), llm=model)
    assert [(m.start_s, m.end_s, m.text) for m in found.script.moves] == [(0, 8, "arm wave")]
    assert words in found.warnings[0] and "by rule" in found.warnings[0] and "secret" not in found.warnings[0]
    assert len(server.asked) == 3


@pytest.mark.parametrize(("code", "words"), [(401, "OPENAI_API_KEY"), (403, "OPENAI_API_KEY"), (404, "the model's name")])
def test_what_asking_again_would_not_change_is_asked_once(serve, code, words):
    server, model = serve((code, "no"))
    with pytest.raises(ChoreiaError, match=f"HTTP {code}.*{words}"):
        model.write("waves", song())
    assert len(server.asked) == 1


@pytest.mark.parametrize("key", ["hidden\rvalue", "hidden\nvalue", "hidden…value"])
def test_a_key_that_cannot_be_sent_is_not_shown(serve, key):
    server, model = serve(chat(RIGHT))
    with pytest.raises(ChoreiaError, match="cannot be sent") as told:
        Endpoint(model.url, "tiny", key).write("waves", song())
    assert "hidden" not in str(told.value) and "\n" not in str(told.value) and server.asked == []


def test_a_server_that_knows_no_schema_is_asked_without(serve):
    server, model = serve((400, "unknown field"), chat(RIGHT))
    assert model.write("waves", song()).style == "popping, sharp"
    assert "response_format" not in server.asked[1]


def test_the_key_does_not_follow_a_redirect(serve):
    other, _ = serve(chat(RIGHT))
    for code in (302, 307):
        _, model = serve((code, f"http://127.0.0.1:{other.server_port}/v1/chat/completions"))
        with pytest.raises(ChoreiaError, match=f"HTTP {code}"):
            model.write("waves", song())
    assert other.asked == []


def test_nobody_there(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(ChoreiaError, match="cannot be reached"):
        Endpoint("http://127.0.0.1:9/v1", "tiny", timeout_s=0.3, tries=1).write("waves", song())


def test_arguments_go_before_the_environment(monkeypatch):
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_MODEL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ChoreiaError, match="set OPENAI_MODEL"):
        endpoint()
    with pytest.raises(ChoreiaError, match="set OPENAI_BASE_URL"):
        endpoint(model="small")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://here/v1")
    monkeypatch.setenv("OPENAI_MODEL", "small")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert endpoint() == Endpoint("http://here/v1", "small", "k")
    assert endpoint("https://there/v1", "large", "", 5.0, 1) == Endpoint("https://there/v1", "large", "", 5.0, 1)
    assert "'k'" not in repr(endpoint())
    with pytest.raises(ChoreiaError, match="is not the URL"):
        endpoint("file:///etc/passwd", "m")
    assert endpoint("http://here/v1/chat/completions", "m").url == endpoint("http://here/v1/", "m").url == "http://here/v1"


@pytest.mark.parametrize("url", ["https://me:hidden@here/v1", "https://here/v1?key=hidden", "https://here/v1#hidden"])
def test_a_url_with_a_secret_is_refused_and_not_shown(url):
    with pytest.raises(ChoreiaError, match="OPENAI_API_KEY") as told:
        endpoint(url, "m")
    assert "hidden" not in str(told.value)


def test_overlapping_moves_of_a_model_are_refused():
    rows = [{"from": "bar 1", "to": "bar 4", "text": "a"}, {"from": "bar 3", "to": "bar 6", "text": "b"}]
    with pytest.raises(ChoreiaError, match=r"overlap at 4\.0 s"):
        read_answer(json.dumps({"style": "s", "moves": rows}), song())
