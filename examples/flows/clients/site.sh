#!/usr/bin/env bash
# Logs in to a site, by curl with a cookie jar: cookies, and CSRF tokens from
# pages and headers.
#
#   tapedeck exec -- examples/flows/clients/site.sh
#
# Needs LOGIN_PASSWORD. Prints what it sees, without the tokens.
. "$(dirname "$0")/steps.sh"

shop=https://shop.acme.dev
jar=(--cookie "$kept/jar" --cookie-jar "$kept/jar")

# hidden puts the token of the page into $token. A call's own arguments cannot
# read the page: it is gone by then.
hidden() {
  token=$(sed -n -E '/name="csrf_token"/s/.*value="([^"]+)".*/\1/p' "$kept/body")
}

add() { # NAME
  token=$(header x-csrf-token)
  call "$1" "${jar[@]}" --config <(secretly "header=X-CSRF-Token: $token") \
    --header 'Content-Type: application/json' --data '{"item":"loom"}' "$shop/cart"
}

call stranger "${jar[@]}" "$shop/account"
call login "${jar[@]}" "$shop/login"
hidden
call logged-in "${jar[@]}" --data user=ada --config <(secretly "data-urlencode=password=$LOGIN_PASSWORD" "data-urlencode=csrf_token=$token") "$shop/login"
call account "${jar[@]}" "$shop/account"
add add-0
add add-1
call account-again "${jar[@]}" "$shop/account"
hidden
call logout "${jar[@]}" --config <(secretly "data-urlencode=csrf_token=$token") "$shop/logout"
call stranger-again "${jar[@]}" "$shop/account"
