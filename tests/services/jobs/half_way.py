"""A job that is killed half way, in a process of its own."""

import os
import signal
import subprocess
import sys

from liaison.services.house import House


def killed_half_way(program: str, house: House) -> None:
    """Runs the program on the base of this house, and kills it once it says that it is half way."""
    given = {
        "DATABASE_URL": house.settings.database_url,
        "KEY_FILE": house.settings.key_file,
        "DATA": house.settings.data,
        "PUBLIC_URL": house.settings.public_url,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, **{f"LIAISON_{name}": str(value) for name, value in given.items()}},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "half way\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
