"""notices.yaml: what is read from it, and what is said of each mistake."""

from pathlib import Path

import pytest
from tests.notices.test_channels import NOTICE

from slipway.errors import SpecInvalid, UsageError
from slipway.notices.config import NoticesConfig
from slipway.notices.reading import read_config

HOOK = "channels:\n  - name: hook\n    kind: webhook\n    url: https://hooks.example/in\n"
MAIL = (
    "channels:\n  - name: mail\n    kind: email\n    host: mail.example\n    from: a@b.example\n    to: [c@d.example]\n"
)


def read(folder: Path, text: str) -> NoticesConfig:
    file = folder / "notices.yaml"
    file.write_text(text)
    return read_config(file)


def test_the_file_of_the_guide_is_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/notices.md").read_text()
    config = read(tmp_path, page.partition("```yaml notices.yaml\n")[2].partition("```")[0])
    secrets = dict.fromkeys(("MAIL_PASSWORD", "AUDIT_SECRET"), "secret")
    assert list(config.open({"REVIEWERS_HOOK": "https://hooks.example/1", **secrets})) == [
        "reviewers",
        "owners",
        "audit",
    ]


@pytest.mark.parametrize(
    "text", [HOOK, MAIL, HOOK + "    secret_env: HOOK_SECRET\n", HOOK + "board: https://b.example\n"]
)
def test_what_is_right_is_read(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).channels_for(NOTICE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: this has to be a mapping with the keys board, channels, retry"),
        ("channels: []\n", ":1: channels"),
        ("channels: [\n", "not YAML"),
        (HOOK + "    kinds: [x]\n", ":5: channels.0.kinds: unknown key 'kinds'; did you mean 'kind'?"),
        (HOOK.replace("webhook", "webhok"), ":3: channels.0.kind: found 'webhok'; did you mean 'webhook'? There is:"),
        (HOOK.replace("    kind: webhook\n", ""), ":2: channels.0: a channel has a `kind`; there is: webhook, slack"),
        ("channels: audit\n", ":1: channels: this has to be a list; found 'audit'"),
        (HOOK + "    notices: [promoted, refusd]\n", "did you mean 'refused'?"),
        (
            HOOK.replace("    url: https://hooks.example/in\n", ""),
            "either `url` or, where it holds a secret, `url_env`",
        ),
        (HOOK + "    url_env: HOOK\n", "either `url` or"),
        (HOOK.replace("https", "http"), "would go to hooks.example unencrypted"),
        (HOOK.replace("https", "ftp"), ":4: channels.0.url: an address begins with https://"),
        (HOOK.replace("hooks.example", "ana:secret@hooks.example"), "no user or password in it"),
        (HOOK.replace("hooks.example", "hooks.example:99999"), ":4: channels.0.url: Port out of range"),
        (HOOK + "    ca: our.pem\n", ":5: channels.0.ca: server and commands run in different folders"),
        (MAIL.replace("a@b.example", "ä@b.example"), "channels.0.from"),
        (HOOK + "    secret_env: SLIPWAY_SECRET\n", "take another name"),
        (HOOK.replace("webhook", "slack") + "    secret_env: X\n", "slack knows no signature"),
        (HOOK + HOOK.removeprefix("channels:\n"), "two channels have the name hook"),
        (MAIL + "    user: ana\n", "a login takes both"),
        (MAIL + "    tls: none\n", "would go to mail.example unencrypted"),
        (MAIL.replace("c@d.example", "c@d.example, x"), ":6: channels.0.to.1"),
        (MAIL + "    password: secret\n", "did you mean 'password_env'?"),
        (HOOK + "retry: {fist_s: 1}\n", "did you mean 'first_s'?"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_what_is_allowed(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SpecInvalid) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)
    assert "tuple" not in str(raised.value)  # a channel with a mistake is no channel that is missing


def test_one_mistake_in_a_channel_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid, match="1 problem"):
        read(tmp_path, HOOK.replace("webhook", "webhok"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/in", "http://localhost/in", "http://[::1]/in"])
def test_this_machine_may_be_told_without_tls(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, HOOK.replace("https://hooks.example/in", f'"{url}"'))


def test_others_may_where_the_operator_says_so(tmp_path: Path) -> None:
    assert read(tmp_path, HOOK.replace("https", "http") + "    insecure: true\n")


def test_a_channel_takes_the_kinds_and_the_models_that_it_names(tmp_path: Path) -> None:
    def takes(more: str) -> bool:
        return bool(read(tmp_path, HOOK + more).channels_for(NOTICE))

    assert takes("    notices: [refused]\n    models: ['flight_*', other]\n")
    assert not takes("    notices: [promoted]\n")
    assert not takes("    models: [Flight_*]\n")


def test_certificates_that_are_not_there_are_named(tmp_path: Path) -> None:
    config = read(tmp_path, HOOK + f"    ca: {tmp_path}/our.pem\n")
    with pytest.raises(UsageError, match=r"no file .*our\.pem of channel 'hook'"):
        config.open({})


def test_secrets_come_from_variables_and_a_missing_one_is_named(tmp_path: Path) -> None:
    config = read(tmp_path, HOOK.replace("url: https://hooks.example/in", "url_env: HOOK") + "    secret_env: KEY\n")
    with pytest.raises(UsageError, match="HOOK of channel 'hook', KEY of channel 'hook'"):
        config.open({})
    assert "k3y" not in repr(config.open({"HOOK": "https://hooks.example/k3y", "KEY": "k3y"}))
    with pytest.raises(UsageError, match=r"the address in HOOK of channel 'hook' cannot be used: .* unencrypted"):
        config.open({"HOOK": "http://hooks.example/k3y", "KEY": "k3y"})
