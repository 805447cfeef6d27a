#!/bin/bash
# Makes Umbral's two roles and its database. The PostgreSQL image runs it once, when its volume is empty.
#
#   umbral          owns the database and its tables; staff requests and migrations
#   umbral_outside  public, donor and partner requests; `umbral migrate --outside-role` grants what it may read
#
# The passwords are read by psql itself, so that none stands in a list of processes or in a log.
set -euo pipefail

export SECRETS="${SECRETS:-/run/secrets}"
for name in umbral_password umbral_outside_password; do
    if [ ! -s "$SECRETS/$name" ]; then
        echo "init-roles: $SECRETS/$name is missing or empty; see deploy/README.md" >&2
        exit 1
    fi
done

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
\set owner_password `cat "$SECRETS/umbral_password"`
\set outside_password `cat "$SECRETS/umbral_outside_password"`

CREATE ROLE umbral LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner_password';
CREATE ROLE umbral_outside LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT
    PASSWORD :'outside_password';

-- The server sets limits of its own for each request; these stand behind them.
ALTER ROLE umbral_outside SET default_transaction_read_only = on;
ALTER ROLE umbral_outside SET statement_timeout = '15s';
ALTER ROLE umbral_outside SET idle_in_transaction_session_timeout = '30s';

CREATE DATABASE umbral OWNER umbral;
REVOKE ALL ON DATABASE umbral FROM PUBLIC;
GRANT CONNECT ON DATABASE umbral TO umbral_outside;
-- Nobody else signs in to the maintenance databases.
REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;

\connect umbral
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SQL

echo "init-roles: made the roles umbral and umbral_outside and the database umbral"
