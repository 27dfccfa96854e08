# What the curl flows of this folder share; they source it. Meant for bash.
# Whatever curl keeps, such as cookies, is in $kept and gone when the flow ends.

set -euo pipefail
kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT

# call NAME CURL-ARGUMENT… makes one request and prints a heading with the
# status, and the body without tokens. The body stays in $kept/body, the headers
# in $kept/headers.
call() {
  local name=$1 status
  shift
  : >"$kept/body"
  status=$(curl --silent --show-error --max-time 60 --dump-header "$kept/headers" \
    --output "$kept/body" --write-out '%{http_code}' "$@")
  printf '== %s %s %s\n' "$name" "$status" "$(header location)"
  sed -E 's/value="[^"]{8,}"/(hidden)/' "$kept/body"
  printf '\n'
}

# header NAME prints a header of the last answer.
header() {
  tr -d '\r' <"$kept/headers" | sed -n "s/^$1: //Ip"
}

# secretly NAME=VALUE… prints options of curl that are not to be seen in a list of
# processes, to be read with --config <(secretly …).
secretly() {
  local option
  for option in "$@"; do
    printf '%s = "%s"\n' "${option%%=*}" "${option#*=}"
  done
}
