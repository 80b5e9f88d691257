"""Removing what no longer means anything. Nothing depends on it: expiry is decided at each use."""

import asyncpg

from liaison.auth.oauth2 import keys


async def sweep(connection: "asyncpg.Connection | asyncpg.Pool") -> None:
    """Used codes and refresh tokens stay a day longer than they live, so that a late replay still ends its family. Signing
    keys that were replaced long ago are no longer published."""
    await connection.execute("delete from assertion_seen where expires_at < now()")
    await connection.execute("delete from authorization_code where expires_at < now() - interval '1 day'")
    await connection.execute("delete from refresh_token where expires_at < now() - interval '1 day'")
    await connection.execute("delete from first_code where expires_at < now()")
    await connection.execute("delete from ceremony where expires_at < now()")
    await connection.execute("delete from rate_limit where full_at < now()")
    await connection.execute("delete from client_error where day < now() - interval '90 days'")
    await keys.retire(connection)
    await connection.execute("delete from browser_session where expires_at < now() - interval '1 day'")
    await connection.execute("delete from launch where expires_at < now() - interval '1 day'")
    await connection.execute("delete from pushed_request where expires_at < now() - interval '1 day'")
