"""Imported by the process that workers are forked from, and by nothing else: everything that a worker needs is loaded
here once. It opens nothing and has one thread."""

import gc
import importlib
import signal
from typing import Final

# What is loaded stays. The collector would walk through it again and again, for a seventh of the time it takes to load.
gc.disable()

from liaison.protocols.library import shipped
from liaison.services import application  # this is most of what is loaded
from liaison.services.pages.languages import LANGUAGES
from liaison.services.pages.layout import environment

_NEEDED: Final = (
    "httptools",
    "uvloop",
    "uvicorn.lifespan.on",  # this one and the next ones by the names that uvicorn's settings give them
    "uvicorn.loops.uvloop",
    "liaison.services.api.unreadable",
    "uvicorn.protocols.websockets.auto",
    "liaison.services.command",
    "liaison.services.pages.nowhere",
)

for _name in _NEEDED:
    importlib.import_module(_name)
application.routes()  # each page is imported with its route
# What the first look at a desk would read and compile, in each worker: the library, the words, the widest of the pages.
shipped()
for _language in LANGUAGES:
    environment(_language).get_template("coordination/cohort.html")

# A signal to the whole process group is for the supervisor and its workers. If this process ended first, the workers
# would be taken for dead in the middle of their last requests. Blocked and not ignored: one that comes to a worker
# before it listens is not lost, since the worker takes the mask away (`application.worker`).
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

# The collector leaves what is there alone, so that workers go on sharing it.
gc.collect()
gc.freeze()
gc.enable()
