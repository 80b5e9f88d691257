#!/bin/sh
# `liaison` as an administrator types it, in any session of root: as the service's account, with the service's settings.
# Installed as /usr/local/bin/liaison. Files that it reads or writes must be within that account's reach.
set -eu
set -a
. /etc/liaison/liaison.env
exec runuser -u liaison -- /opt/liaison/.venv/bin/liaison "$@"
