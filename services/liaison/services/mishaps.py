"""What goes wrong around a command (disk, rights, settings, database), said in one sentence that names the remedy.

None of them holds a value of the record: texts of PostgreSQL stay inside, as they may quote a row.
"""

import errno
from typing import Final

import asyncpg
from pydantic import ValidationError

from liaison.fhir.store.embedded import EmbeddedError

_REMEDIES: Final = {
    errno.ENOSPC: "The disk is full. Free some room, then run the command again.",
    errno.EDQUOT: "The account's share of the disk is used up. Free some room, then run the command again.",
    errno.EACCES: "This account may not do that. Run the command as the account of the service.",
    errno.EPERM: "This account may not do that. Run the command as the account of the service.",
    errno.EROFS: "The file system is read-only.",
    errno.ENOTDIR: "A part of the path is not a folder.",
}


def sentence(error: BaseException) -> str:
    """'' for what is nobody's mishap: a fault of the program, whose traceback is wanted."""
    match error:
        case ValidationError():
            return "; ".join(
                f"{_setting(*one['loc'])}{one['msg'].removeprefix('Value error, ')}"
                for one in error.errors(include_input=False, include_url=False)
            )
        case EmbeddedError():
            return str(error)
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return "The database refuses this account: see LIAISON_DATABASE_URL and PostgreSQL's pg_hba.conf."
        case asyncpg.InvalidCatalogNameError():
            return "The database that LIAISON_DATABASE_URL names does not exist. Create it first."
        case asyncpg.InsufficientPrivilegeError():
            return "The account of LIAISON_DATABASE_URL may not make or change these tables. Let it own its database."
        case asyncpg.PostgresError() | asyncpg.InterfaceError():
            return f"The database could not do that ({type(error).__name__}). Its log says why."
        case OSError() if error.filename is None and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return "The database cannot be reached. Is it running, where LIAISON_DATABASE_URL says?"
        case OSError():
            where = f"{error.filename}: " if error.filename is not None else ""
            return f"{where}{error.strerror}. {_REMEDIES.get(error.errno or 0, '')}".rstrip()
    return ""


def _setting(*where: int | str) -> str:
    """'' for what is wrong between settings: the text names them."""
    return f"LIAISON_{'_'.join(map(str, where)).upper()} " if where else ""
