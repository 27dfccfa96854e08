#!/usr/bin/env bash
# Tests of a shop by curl, all at once, each with a cassette of its own:
#
#   tapedeck exec --cassettes cassettes -- ./suite.sh
#
# Each test is a function; its name is the session, and so the cassette. A request
# that is not recorded fails this test and no other.
set -uo pipefail

# shop METHOD PATH [JSON] is a request of the test that is running.
shop() {
  curl --silent --show-error --fail --max-time 60 \
    --proxy "http://$test:x@${TAPEDECK_CONTROL#http://}" \
    --header @<(printf 'Authorization: Bearer %s\n' "${SHOP_KEY:-unused}") \
    --header 'Content-Type: application/json' --request "$1" ${3:+--data "$3"} "https://api.shop.example$2"
}

buy() { # ITEM QUANTITY CURRENCY
  shop POST /orders "{\"item\":\"$1\",\"quantity\":$2,\"currency\":\"$3\"}"
}

member() { # NAME: of the JSON object on standard input
  sed -E "s/.*\"$1\": ?\"?([^\",}]*).*/\1/"
}

buy_EUR() {
  local order
  order=$(buy loom 2 EUR) || return
  echo "$test: $(member id <<<"$order")"
  [ "$(member total <<<"$order")" = 2500 ]
}

refund() {
  local id
  id=$(buy loom 2 EUR | member id) || return
  echo "$test: $id"
  [ "$(shop GET "/orders/$id" | member status)" = open ] || return
  shop POST "/orders/$id/refund" >/dev/null || return
  [ "$(shop GET "/orders/$id" | member status)" = refunded ]
}

# Sends what QUANTITY says: change it, and see which test fails.
quantity() {
  echo "$test: $(buy engine "${QUANTITY:-3}" USD | member id)"
}

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
tests=(buy_EUR refund quantity)
for test in "${tests[@]}"; do
  {
    "$test"
    code=$?
    # Prints what was missed, and ends with 90 then.
    tapedeck status "$test" || code=1
    exit $code
  } >"$logs/$test" 2>&1 &
  pids+=($!)
done

failed=0
for i in "${!tests[@]}"; do
  if wait "${pids[$i]}"; then echo "ok ${tests[$i]}"; else
    echo "not ok ${tests[$i]}"
    failed=1
  fi
  sed 's/^/  /' "$logs/${tests[$i]}"
done
exit $failed
