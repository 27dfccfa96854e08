#!/usr/bin/env bash
# A checkout with Stripe, by curl. Needs STRIPE_API_KEY; AMOUNT is in cents.
#
#   tapedeck exec -- examples/stripe/curl.sh
set -euo pipefail
cd "$(dirname "$0")"
. ../steps.sh

api=https://api.stripe.com/v1
amount=${AMOUNT:-2000}

stripe() { # METHOD NAME PATH FIELD…
  local method=$1 name=$2 path=$3 options
  shift 3
  mapfile -d '' options < <(form "$@")
  if [ "$method" = GET ]; then options+=(--get); fi
  # The key goes through a file descriptor: arguments are visible to every user.
  call "$name" --config <(printf 'header = "Authorization: Bearer %s"\n' "$STRIPE_API_KEY") \
    "${options[@]}" "$api/$path"
}

id() { # PREFIX: of the object in the answer; objects within it have others
  sed -n -E "s/.*\"id\": *\"($1_[^\"]*)\".*/\\1/p" "$answer"
}

stripe POST customer customers \
  'name=Ada Lovelace' \
  'email=ada@example.com' \
  'metadata[team]=engines & looms' \
  'metadata[order]=6735'
customer=$(id cus)

stripe POST customer-session customer_sessions \
  "customer=$customer" \
  'components[buy_button][enabled]=true' \
  'components[pricing_table][enabled]=false' \
  'components[payment_element][enabled]=true' \
  'components[payment_element][features][payment_method_redisplay]=enabled' \
  'components[payment_element][features][payment_method_allow_redisplay_filters][]=always' \
  'components[payment_element][features][payment_method_allow_redisplay_filters][]=limited'

stripe POST checkout checkout/sessions \
  'mode=payment' \
  "customer=$customer" \
  'success_url=https://shop.example.com/thanks' \
  'line_items[0][price_data][currency]=eur' \
  'line_items[0][price_data][unit_amount]=2500' \
  'line_items[0][price_data][product_data][name]=T-shirt, "blue" 100%' \
  'line_items[0][quantity]=2' \
  'line_items[1][price]=price_1PgafmB7WZ01zgkW02Hf9z6c' \
  'line_items[1][quantity]=1' \
  'metadata[campaign]=spring' \
  'metadata[order]=6735'
checkout=$(id cs)

# All items again, in the order they are to have; an empty value unsets a key.
stripe POST checkout-update "checkout/sessions/$checkout" \
  'line_items[0][id]=li_1PgafmB7WZ01zgkWsecond1' \
  'line_items[0][quantity]=1' \
  'line_items[1][id]=li_1PgafmB7WZ01zgkWfirst22' \
  'line_items[1][quantity]=3' \
  'metadata[campaign]=' \
  'expand[]=line_items'

stripe GET checkout-again "checkout/sessions/$checkout" 'expand[]=customer' 'expand[]=line_items'
stripe GET customers customers 'limit=3' 'expand[]=data.default_source'

stripe POST payment payment_intents \
  "amount=$amount" \
  'currency=eur' \
  "customer=$customer" \
  'automatic_payment_methods[enabled]=true'

# The secret of one answer goes into the next request.
if [ "$status" = 200 ]; then
  secret=$(sed -n -E 's/.*"client_secret": *"([^"]*)".*/\1/p' "$answer")
  stripe GET payment-again "payment_intents/$(id pi)" "client_secret=$secret"
fi
