"""A PostgreSQL cluster of the test's own: temporary folder, Unix socket only, nothing durable."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

OPTIONS = {
    "listen_addresses": "''",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
}


class Cluster:
    """A running cluster; `folder` holds its socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def url(self, name: str) -> str:
        """Address of the database `name`, as `MADOGUCHI_DATABASE_URL` takes it."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def create(self, name: str) -> None:
        """Make an empty database."""
        _run("createdb", "-h", self.folder, "-U", "postgres", name)


@contextmanager
def cluster(**changed: str) -> Iterator[Cluster]:
    """Start a cluster and stop it. The folder's path is short: a socket address has 107 bytes.

    `changed`: settings of PostgreSQL other than `OPTIONS`.
    """
    folder = Path(tempfile.mkdtemp(prefix="mado-pg-", dir="/tmp"))
    data = folder / "data"
    try:
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        _run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync")
        settings = " ".join(f"-c {name}={value}" for name, value in {**OPTIONS, **changed}.items())
        _run("pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", f"-k {folder} {settings}", "start")
        try:
            yield Cluster(folder)
        finally:
            _run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: str, *arguments: object) -> None:
    """PostgreSQL refuses to run as root, so root becomes `postgres` first."""
    command: Sequence[str] = [str(_bin() / program), *map(str, arguments)]
    if os.getuid() == 0:
        command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


def _bin() -> Path:
    """The newest installed version's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    if not found:
        raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent
