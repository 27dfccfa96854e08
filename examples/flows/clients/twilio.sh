#!/usr/bin/env bash
# Sends a text message, by curl as Twilio's pages show it: the account is user
# name and path segment at once.
#
#   tapedeck exec -- examples/flows/clients/twilio.sh
#
# Needs TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.
. "$(dirname "$0")/steps.sh"

twilio() { # NAME PATH CURL-ARGUMENT…
  local name=$1 path=$2
  shift 2
  call "$name" --config <(secretly "user=$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN") "$@" "https://api.twilio.com$path"
}

twilio send "/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages.json" --data To=+15005550006 --data From=+15005550001 --data Body=hello
uri=$(sed -n -E 's/.*"uri":"([^"]+)".*/\1/p' "$kept/body")
twilio read "$uri"
