#!/usr/bin/env bash
# Starts mongod as a replica set with sign-in, which needs a key that its members share. There is one member, so the key
# is made here, once.
set -euo pipefail

key=/data/configdb/replica-set.key
if [[ ! -s $key ]]; then
  (umask 077 && head -c 512 /dev/urandom | base64 -w 0 >"$key.new" && mv "$key.new" "$key")
fi
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile "$key" --bind_ip_all --wiredTigerCacheSizeGB 0.4
