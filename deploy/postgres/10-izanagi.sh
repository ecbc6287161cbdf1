#!/usr/bin/env bash
# Runs once, when the database is created: a role that owns its database and is nothing else, not a superuser.
set -euo pipefail

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
  --set password="$POSTGRES_APP_PASSWORD" <<'SQL'
CREATE ROLE izanagi LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
ALTER ROLE izanagi SET idle_in_transaction_session_timeout = '60s';
CREATE DATABASE izanagi OWNER izanagi;
REVOKE ALL ON DATABASE izanagi FROM PUBLIC;
SQL
