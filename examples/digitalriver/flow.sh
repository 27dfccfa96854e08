#!/usr/bin/env bash
# The life of a customer at Digital River, by curl. Needs DIGITALRIVER_TOKEN;
# LOCALE is what the update sets.
#
#   tapedeck exec -- examples/digitalriver/flow.sh
set -euo pipefail
cd "$(dirname "$0")"
. ../steps.sh

api=https://api.digitalriver.com

send() { # NAME CURL-ARGUMENT…
  local name=$1
  shift
  # The token goes through a file descriptor: arguments are visible to every user.
  call "$name" --config <(printf 'header = "Authorization: Bearer %s"\n' "$DIGITALRIVER_TOKEN") "$@"
}

json() { # MEMBER…: options that post an object
  printf '%s\0' --header 'Content-Type: application/json' --data-binary "$(object "$@")"
}

mapfile -d '' new < <(json '"email":"ada@example.com"' '"locale":"en_US"' '"type":"individual"')
mapfile -d '' changed < <(json "\"locale\":\"${LOCALE:-fr_FR}\"" '"enabled":false')

call stranger "${new[@]}" "$api/customers"
send created "${new[@]}" "$api/customers"
customer=$api/customers/$(sed -n -E 's/.*"id":"([^"]*)".*/\1/p' "$answer")

# The same request, three answers: before the update, after it, after the delete.
send before "$customer"
send updated "${changed[@]}" "$customer"
send after "$customer"

source=$customer/sources/fd74a5c5-0163-469a-ae8e-031f0259b576
tax=$customer/tax-identifiers/c8dff3b4-9d5c-4f3e-8b1b-0a1f6d1f2c33
send source-attached --request POST "$source"
send tax-attached --request POST "$tax"
send with-both "$customer"
send source-detached --request DELETE "$source"
send tax-detached --request DELETE "$tax"
send with-neither "$customer"

send deleted --request DELETE "$customer"
send gone "$customer"
