import gzip
import logging
import socket
import ssl
import subprocess
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from graphmind_loaders.pull.client import Client, ReplyTooLarge
from graphmind_loaders.pull.options import HttpOptions

from graphmind.errors import SettingsError, SourceError
from graphmind.sources import SourceConfig
from tests.live.conftest import free_ports
from tests.loaders.pull.serving import Answer, serving

TOKEN = "s3cr3t-t0ken"


def client_of(url, **changes):
    options = changes.pop("options", None)
    config = SourceConfig(kind="test", name="t", url=url, **{"timeout_s": 5.0, **changes})
    return closing(Client(config, options))


@contextmanager
def asking(answer, **changes):
    """A client and the server it asks."""
    with serving(answer) as server, client_of(server.url + "/base", **changes) as client:
        yield client, server


def answering(*args, **kwargs):
    return lambda _: Answer(*args, **kwargs)


def test_json_is_asked_for_below_the_url_with_parameters_and_headers():
    with asking(lambda _: Answer.of({"a": 1}), headers={"X-Scope-OrgID": "team"}) as (client, at):
        reply = client.get("/api/x", {"q": '{a=~"b"}', "n": 3}, headers={"accept": "x/y"})

    assert reply.json() == {"a": 1}
    (asked,) = at.asked
    assert (asked.method, asked.path, asked.query) == (
        "GET",
        "/base/api/x",
        {"q": '{a=~"b"}', "n": "3"},
    )
    assert asked.headers["x-scope-orgid"] == "team"
    assert asked.headers["accept"] == "x/y"
    assert "authorization" not in asked.headers


def test_a_form_is_posted():
    with asking(lambda _: Answer.of([])) as (client, at):
        client.post("q", form={"query": "up", "step": 5})

    assert (at.asked[0].method, at.asked[0].form) == ("POST", {"query": "up", "step": "5"})


@pytest.mark.parametrize(
    ("token", "userinfo", "sent"),
    [
        (TOKEN, "", f"Bearer {TOKEN}"),
        ("user:pass", "", "Basic dXNlcjpwYXNz"),
        ("", "user:pass@", "Basic dXNlcjpwYXNz"),
        (TOKEN, "user:pass@", f"Bearer {TOKEN}"),
    ],
)
def test_credentials_come_from_the_token_or_the_url(token, userinfo, sent):
    with serving(lambda _: Answer.of(1)) as server:
        url = server.url.replace("http://", f"http://{userinfo}")
        with client_of(url, token=token) as client:
            client.get("x")

    assert server.asked[0].headers["authorization"] == sent


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_say_what_to_set_and_not_what_was_sent(status):
    with (
        asking(answering(status=status, body=f"bad token {TOKEN}".encode()), token=TOKEN) as (c, _),
        pytest.raises(SourceError, match=r"refused or expired.*set `token`, `token_env`") as failed,
    ):
        c.get("x")

    assert TOKEN not in str(failed.value)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_a_server_that_repeats_the_secrets_is_blotted_out(status, caplog):
    caplog.set_level(logging.DEBUG)
    body = f"no {TOKEN} pass-word header-secret".encode()
    with (
        asking(
            answering(status=status, body=body), token=TOKEN, headers={"x-key": "header-secret"}
        ) as (client, _),
        pytest.raises(SourceError) as failed,
    ):
        client.get("x")

    assert f"{status}" in str(failed.value)
    for secret in (TOKEN, "header-secret"):
        assert secret not in str(failed.value)
        assert secret not in caplog.text


def test_a_password_in_the_url_is_never_shown(caplog):
    caplog.set_level(logging.DEBUG)
    (port,) = free_ports(1)
    with (
        client_of(f"http://admin:pass-word@127.0.0.1:{port}") as client,
        pytest.raises(SourceError, match="does not answer") as failed,
    ):
        client.get("x")

    assert "pass-word" not in str(failed.value) + client.where + caplog.text


@pytest.mark.parametrize(
    ("status", "said", "wait_s"),
    [(429, "7", 7.0), (503, "Thu, 01 Jan 1970 00:00:00 GMT", 0.0), (503, "soon", None)],
)
def test_a_busy_server_says_when_to_come_again(status, said, wait_s):
    with (
        asking(answering(status=status, headers={"retry-after": said})) as (client, _),
        pytest.raises(SourceError, match="asks to wait") as failed,
    ):
        client.get("x")

    assert failed.value.retry_after_s == wait_s


def test_a_status_that_is_tolerated_returns():
    with asking(lambda _: Answer.of({"error": 1}, status=404)) as (client, _):
        reply = client.get("x", tolerated={404})

    assert (reply.status, reply.json()) == (404, {"error": 1})


def test_a_page_instead_of_json_is_refused_with_its_start():
    with (
        asking(answering(body=b"<html>\n<title>Login</title>")) as (client, _),
        pytest.raises(SourceError, match="expected JSON, but the answer starts '<html> <title>Lo"),
    ):
        client.get("x").json()


def test_a_page_that_repeats_the_token_is_blotted_out():
    with (
        asking(answering(body=f"<p>{TOKEN}".encode()), token=TOKEN) as (client, _),
        pytest.raises(SourceError, match=r"starts '<p>\*\*\*'"),
    ):
        client.get("x").json()


def test_json_of_another_shape_is_refused():
    with (
        asking(lambda _: Answer.of({"data": 3})) as (client, _),
        pytest.raises(SourceError, match=r"another shape.*Expected `array`, got `int`"),
    ):
        client.get("x").read_as(dict[str, list[int]])


@pytest.mark.parametrize("packed", [False, True])
def test_a_reply_over_the_limit_is_refused(packed):
    body, headers = b"x" * 1001, {}
    if packed:
        body, headers = gzip.compress(body), {"content-encoding": "gzip"}
    options = HttpOptions(reply_bytes_max=1000)
    with (
        asking(answering(body=body, headers=headers), options=options) as (client, _),
        pytest.raises(ReplyTooLarge, match="over 1000 bytes"),
    ):
        client.get("x")


def test_a_packed_reply_within_the_limit_is_unpacked():
    body = b"\x00" * 1_000_000
    reply = Answer(body=gzip.compress(body), headers={"content-encoding": "gzip"})
    options = HttpOptions(reply_bytes_max=1_000_000)
    with asking(lambda _: reply, options=options) as (client, _):
        assert client.get("x").content == body


@pytest.mark.parametrize(
    ("encoding", "body", "words"),
    [
        ("gzip", b"no gzip", "gzip is broken"),
        ("gzip", gzip.compress(b"abc" * 99)[:-9], "gzip is cut off"),
        ("br", b"abc", "packed as 'br'"),
    ],
    ids=["broken", "cut-off", "unknown"],
)
def test_a_reply_packed_wrongly_is_refused(encoding, body, words):
    headers = {"content-encoding": encoding}
    with (
        asking(answering(body=body, headers=headers)) as (client, _),
        pytest.raises(SourceError, match=words),
    ):
        client.get("x")


def test_a_move_within_the_server_is_followed_with_credentials():
    def answer(asked):
        if asked.path == "/base/old":
            return Answer(status=302, headers={"location": "/new"})
        return Answer.of("here")

    with asking(answer, token=TOKEN) as (client, at):
        assert client.get("old").json() == "here"

    assert at.asked[1].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_move_to_another_server_is_refused_and_nothing_goes_there():
    with serving(lambda _: Answer.of(1)) as other:
        location = f"{other.url}/x?token={TOKEN}"
        with (
            asking(answering(status=307, headers={"location": location}), token=TOKEN) as (c, _),
            pytest.raises(SourceError, match=f"another server, {other.url}") as failed,
        ):
            c.get("x")

        assert other.asked == []
        assert TOKEN not in str(failed.value)


def test_moving_in_circles_ends():
    with (
        asking(answering(status=302, headers={"location": "/x"})) as (client, at),
        pytest.raises(SourceError, match="on and on"),
    ):
        client.get("x")

    assert len(at.asked) == 4


def test_a_server_that_is_not_there_is_named():
    (port,) = free_ports(1)
    with (
        client_of(f"http://127.0.0.1:{port}") as client,
        pytest.raises(SourceError, match=rf"source t \(test, http://127.0.0.1:{port}.* not answer"),
    ):
        client.get("x")


def test_a_server_that_never_answers_is_given_up():
    over = threading.Event()
    with (
        serving(answering(silent_until=over)) as server,
        client_of(server.url, timeout_s=0.2) as client,
    ):
        with pytest.raises(SourceError, match=r"does not answer within 0.2 s"):
            client.get("x")
        over.set()


def test_a_reply_that_drips_forever_is_given_up():
    ticks = iter(range(0, 1000, 7))
    with serving(answering(body=b"x" * 10)) as server:
        config = SourceConfig(kind="test", name="t", url=server.url, timeout_s=1.0)
        client = Client(config, clock=lambda: float(next(ticks)))
        with closing(client), pytest.raises(SourceError, match="has not ended after 6 s"):
            client.get("x")


def test_garbage_instead_of_http_is_a_source_error():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connection, _ = listening.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"\x00\xff not http at all\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with client_of(url) as client, pytest.raises(SourceError, match="breaks off"):
            client.get("x")
        thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    make = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem"
    )
    try:
        subprocess.run(make.split(), check=True, cwd=folder, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl to make a certificate")
    return folder


@pytest.fixture
def tls_url(certificate):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"17")

        def log_message(self, *args):
            pass

    class Server(HTTPServer):
        def handle_error(self, request, client_address):
            pass  # the client breaks off the handshake

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_certificate_nobody_trusts_is_told(tls_url):
    with client_of(tls_url) as client, pytest.raises(SourceError, match=r"TLS failed.*`ca_file`"):
        client.get("x")


def test_a_certificate_that_is_named_is_trusted(tls_url, certificate):
    options = HttpOptions(ca_file=str(certificate / "cert.pem"))
    with client_of(tls_url, options=options) as client:
        assert client.get("x").json() == 17


def test_a_certificate_file_that_is_not_there_is_refused():
    with (
        pytest.raises(SettingsError, match="`ca_file` '/nowhere' should hold"),
        client_of("https://127.0.0.1", options=HttpOptions(ca_file="/nowhere")),
    ):
        pass


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:3",
        "ftp://x",
        "http://",
        "http://h/?api_key=s3cr3t",
        "http://[::1",
        "http://h:x",
    ],
)
def test_a_url_that_is_none_is_refused_and_not_shown(url):
    with pytest.raises(SettingsError, match="expected `url` as") as failed, client_of(url):
        pass

    assert "s3cr3t" not in str(failed.value)
