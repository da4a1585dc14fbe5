"""Whom a token stands for: keys of a folder, and tokens of a provider that answers over HTTP."""

import json
import os
import stat
import time
from dataclasses import dataclass, field

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from graphmind_api.access.caller import Unauthenticated
from graphmind_api.access.doors import LOCAL, Doors, now_ms

from graphmind.access.keys import DAY_MS, Keys, hash_of
from graphmind.access.running_server import RunningServer, announced, find_server
from graphmind.errors import NameTaken, SettingsError, StoreError, UnknownName
from graphmind.settings import Settings
from tests.repair.connectors.http_serving import serving

AUDIENCE = "graphmind"
SECRET = "gmk_" + "x" * 43


@dataclass
class Provider:
    """An OpenID provider: its keys by id, and how often it was asked for them."""

    port: int = 0
    keys: dict = field(default_factory=dict)
    answers: bool = True
    asked: int = 0
    issuer_told: str = ""

    @property
    def issuer(self):
        return f"http://127.0.0.1:{self.port}"

    def answer(self, asked):
        if not self.answers:
            return 503, {}
        if asked.parts == (".well-known", "openid-configuration"):
            issuer = self.issuer_told or self.issuer
            return 200, {"issuer": issuer, "jwks_uri": f"{self.issuer}/keys"}
        self.asked += 1
        return 200, {"keys": [public(key, key_id) for key_id, key in self.keys.items()]}

    def token(self, key_id="rsa", algorithm="RS256", *, key=None, **claims):
        told = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "ann",
            "exp": time.time() + 60,
            "roles": ["responder"],
        } | claims
        told = {name: value for name, value in told.items() if value is not None}
        signing = self.keys[key_id] if key is None else key
        return jwt.encode(told, signing, algorithm, headers={"kid": key_id})


def public(key, key_id):
    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    kind = jwt.algorithms.RSAAlgorithm if is_rsa else jwt.algorithms.ECAlgorithm
    return json.loads(kind.to_jwk(key.public_key())) | {"kid": key_id, "use": "sig"}


@pytest.fixture(scope="module")
def signing():
    return {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
    }


@pytest.fixture
def provider(signing):
    known = Provider(keys=dict(signing))
    with serving(known.answer) as known.port:
        yield known


@pytest.fixture
def doors(provider, tmp_path):
    return Doors(Settings(data_dir=tmp_path, oidc_issuer=provider.issuer, oidc_audience=AUDIENCE))


@pytest.mark.parametrize(("key_id", "algorithm"), [("rsa", "RS256"), ("ec", "ES256")])
def test_a_token_of_the_provider_stands_for_its_subject(doors, provider, key_id, algorithm):
    found = doors.by_token(provider.token(key_id, algorithm))

    assert (found.name, found.role, found.kind) == ("ann", "responder", "oidc")


def test_the_highest_role_that_the_claim_names_counts(doors, provider):
    assert doors.by_token(provider.token(roles=["viewer", "approver", "x"])).role == "approver"
    assert doors.by_token(provider.token(roles="admin")).role == "admin"
    assert doors.by_token(provider.token(roles=["root"])).role is None
    assert doors.by_token(provider.token(roles=None)).role is None


def test_a_claim_of_roles_may_lie_inside_another(provider, tmp_path):
    doors = Doors(
        Settings(
            data_dir=tmp_path,
            oidc_issuer=provider.issuer,
            oidc_audience=AUDIENCE,
            oidc_roles_claim="realm_access.roles",
        )
    )

    token = provider.token(roles=None, realm_access={"roles": ["viewer"]})
    assert doors.by_token(token).role == "viewer"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": time.time() - 120}, "expired"),
        ({"exp": None}, "exp"),
        ({"aud": "another"}, "[Aa]udience"),
        ({"aud": None}, "aud"),
        ({"iss": "http://127.0.0.1:1"}, "[Ii]ssuer"),
        ({"iss": None}, "iss"),
        ({"nbf": time.time() + 600}, "not yet valid"),
        ({"sub": None}, "sub"),
        ({"sub": "a\nb"}, "subject"),
        ({"sub": "policy"}, "subject"),
        ({"sub": "x" * 129}, "subject"),
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(doors, provider, claims, why):
    with pytest.raises(Unauthenticated, match=why):
        doors.by_token(provider.token(**claims))


def test_a_token_signed_by_another_is_refused(doors, provider):
    forged = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    with pytest.raises(Unauthenticated, match=r"(?i)signature"):
        doors.by_token(provider.token(key=forged))


def test_a_token_changed_on_the_way_is_refused(doors, provider):
    head, _, signature = provider.token().split(".")
    body = provider.token(roles=["admin"]).split(".")[1]

    with pytest.raises(Unauthenticated, match=r"(?i)signature"):
        doors.by_token(f"{head}.{body}.{signature}")


def test_a_token_without_signature_or_with_a_shared_secret_is_refused(doors, provider):
    with pytest.raises(Unauthenticated, match="algorithm"):
        doors.by_token(provider.token(algorithm="none", key=""))
    with pytest.raises(Unauthenticated, match="algorithm"):
        doors.by_token(provider.token(algorithm="HS256", key="s" * 32))


def test_made_up_key_ids_do_not_make_us_ask_the_provider_each_time(doors, provider):
    for number in range(5):
        with pytest.raises(Unauthenticated, match="no such key"):
            doors.by_token(provider.token(f"made-up-{number}", key=provider.keys["rsa"]))

    assert provider.asked == 1


def test_a_provider_that_is_silent_is_no_fault_of_the_token(doors, provider):
    provider.answers = False

    with pytest.raises(StoreError, match="does not answer"):
        doors.by_token(provider.token())


def test_a_provider_that_calls_itself_otherwise_is_not_believed(doors, provider):
    provider.issuer_told = "https://other.example"

    with pytest.raises(StoreError, match="GRAPHMIND_OIDC_ISSUER"):
        doors.by_token(provider.token())


def test_a_provider_without_audience_or_over_plain_http_is_a_wrong_setting(tmp_path):
    with pytest.raises(SettingsError, match="OIDC_AUDIENCE"):
        Doors(Settings(data_dir=tmp_path, oidc_issuer="https://id.example"))
    with pytest.raises(SettingsError, match="https"):
        Doors(Settings(data_dir=tmp_path, oidc_issuer="http://id.example", oidc_audience="a"))


def test_a_key_is_kept_as_its_hash_in_a_file_of_its_owner_alone(tmp_path):
    token = Keys(tmp_path).create("ann", "viewer", now_ms=0)
    kept = (tmp_path / "keys.json").read_text()

    assert len(token) >= 43  # 256 bits in base64
    assert token not in kept
    assert hash_of(token) in kept
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_a_key_opens_until_it_expires_or_is_revoked(tmp_path):
    doors = Doors(Settings(data_dir=tmp_path))
    elsewhere = Keys(tmp_path)  # as another process has them
    lasting = elsewhere.create("ann", "approver", now_ms=now_ms(), days=1)
    expired = elsewhere.create("old", "admin", now_ms=now_ms() - 2 * DAY_MS, days=1)

    found = doors.by_token(lasting)
    assert (found.name, found.role, found.kind) == ("ann", "approver", "key")
    with pytest.raises(Unauthenticated, match="old has expired"):
        doors.by_token(expired)
    elsewhere.revoke("ann")
    with pytest.raises(Unauthenticated, match="Nothing is known"):
        doors.by_token(lasting)


def test_names_of_keys_are_for_people_and_for_one_key_each(tmp_path):
    keys = Keys(tmp_path)
    keys.create("ann", "viewer", now_ms=0)

    with pytest.raises(NameTaken, match="ann"):
        keys.create("ann", "admin", now_ms=0)
    for name in ("", "a b", "a\n", "local", "Policy", "x" * 65):
        with pytest.raises(SettingsError, match="named for who uses it"):
            keys.create(name, "viewer", now_ms=0)
    with pytest.raises(UnknownName, match="bob"):
        keys.revoke("bob")


def test_a_file_of_keys_that_cannot_be_read_lets_nobody_in(tmp_path):
    (tmp_path / "keys.json").write_text('[{"name": "ann"}]')

    with pytest.raises(StoreError, match=r"keys\.json"):
        Doors(Settings(data_dir=tmp_path)).by_token(SECRET)


def test_the_local_token_and_that_of_senders_are_told_apart(tmp_path):
    doors = Doors(Settings(data_dir=tmp_path, otlp_token="sending"))

    assert doors.by_token(doors.local_token) == LOCAL
    assert (doors.by_token("sending").kind, doors.by_token("sending").role) == ("sender", None)
    for other in ("", "sendin", "\udcff", "é"):
        with pytest.raises(Unauthenticated):
            doors.by_token(other)


def test_a_link_opens_once(tmp_path):
    doors = Doors(Settings(data_dir=tmp_path))
    code = doors.login_code()

    assert doors.by_code(code).role == "admin"
    with pytest.raises(Unauthenticated, match="opened before"):
        doors.by_code(code)


def test_a_session_ends_with_the_key_that_began_it(tmp_path):
    doors = Doors(Settings(data_dir=tmp_path))
    token = doors.keys.create("ann", "viewer", now_ms=now_ms())
    cookie = doors.sessions.begin(doors.by_token(token), now_ms=now_ms())
    assert doors.by_cookie(cookie).name == "ann"

    doors.keys.revoke("ann")
    doors.keys.create("ann", "viewer", now_ms=now_ms())
    with pytest.raises(Unauthenticated, match="session has ended"):
        doors.by_cookie(cookie)


def test_a_session_ends_after_a_shift_or_when_its_token_expires(tmp_path):
    sessions = Doors(Settings(data_dir=tmp_path)).sessions
    cookie = sessions.begin(LOCAL, now_ms=0)

    assert sessions.find(cookie, now_ms=12 * 3_600_000 - 1) is not None
    assert sessions.find(cookie, now_ms=12 * 3_600_000) is None


def test_a_running_server_is_told_of_while_it_runs(tmp_path):
    server = RunningServer(url="http://127.0.0.1:8460", pid=os.getpid())
    with announced(tmp_path, server, "token"):
        assert find_server(tmp_path) == (server, "token")
        for name in ("server.json", "token"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600

    assert find_server(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
