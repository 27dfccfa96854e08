#!/usr/bin/env bash
# Asks the same with and without a token, by curl: the answers differ.
#
#   tapedeck exec -- examples/flows/clients/catalog.sh
#
# Needs ALICE_TOKEN. ORDER=reversed asks with the token first.
. "$(dirname "$0")/steps.sh"

stranger() { call "stranger" https://api.acme.dev/v1/catalog; }
alice() { call "alice" --config <(secretly "header=Authorization: Bearer $ALICE_TOKEN") https://api.acme.dev/v1/catalog; }

if [ "${ORDER:-}" = reversed ]; then
  alice
  stranger
else
  stranger
  alice
fi
