#!/usr/bin/env bash
# Sessions at FastSpring, by curl: what a browser may ask for, and what a seller may.
# Needs FASTSPRING_USERNAME and FASTSPRING_PASSWORD. QUANTITY is of the first item.
#
#   tapedeck exec -- examples/fastspring/flow.sh
set -euo pipefail
cd "$(dirname "$0")"
. ../steps.sh

session=https://api.fastspring.com/v2/checkouts/acme/main/sessions
cart="\"cart\":{\"items\":[{\"product\":\"falcon\",\"quantity\":${QUANTITY:-2}},{\"product\":\"heron\",\"quantity\":1}]}"

post() { # NAME MEMBER…
  local name=$1
  shift
  call "$name" --header 'Content-Type: application/json' --data-binary "$(object "$@")" "$session"
}

post_as_seller() { # NAME MEMBER…
  local name=$1
  shift
  # The password goes through a file descriptor: arguments are visible to every user.
  call "$name" --config <(printf 'user = "%s:%s"\n' "$FASTSPRING_USERNAME" "$FASTSPRING_PASSWORD") \
    --header 'Content-Type: application/json' --data-binary "$(object "$@")" "$session"
}

# The same question from a stranger and from the seller has two answers.
post stranger '"language":"en"' '"buyerIp":"198.51.100.7"' "$cart"
post_as_seller seller '"language":"en"' '"buyerIp":"198.51.100.7"' "$cart"

# An address overrides the country for the seller only.
post stranger-country '"country":"SE"' '"buyerIp":"203.0.113.9"' "$cart"
post_as_seller seller-country '"country":"SE"' '"buyerIp":"203.0.113.9"' "$cart"

# What a stranger may not set.
post stranger-tags '"orderTags":{"campaign":"spring"}' "$cart"

# The order of payment methods has a meaning.
post_as_seller card-first \
  '"paymentMethodsOrder":[{"type":"card"},{"type":"paypal"}]' '"orderTags":{"campaign":"spring"}' \
  '"customer":{"first":"Ada","last":"Lovelace","email":"ada@example.com"}' '"live":false' "$cart"
post_as_seller paypal-first \
  '"paymentMethodsOrder":[{"type":"paypal"},{"type":"card"}]' '"orderTags":{"campaign":"spring"}' \
  '"customer":{"first":"Ada","last":"Lovelace","email":"ada@example.com"}' '"live":false' "$cart"

# The same request again makes another session: played in the order recorded.
post_as_seller again '"language":"en"' '"buyerIp":"198.51.100.7"' "$cart"
