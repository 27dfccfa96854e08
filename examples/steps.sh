# What the curl flows of the examples share; they source it. Meant for bash.
#
#   ORDER=reversed   writes the same parameters and members in reverse order,
#                    with other escapes and other white space
#   CURL_OPTIONS     options for every curl call, such as --http2

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# call NAME CURL-ARGUMENT… makes one request, prints a heading with the status and
# the protocol, and the body. The body stays in the file $answer, the status in
# $status. Client secrets are not printed.
call() {
  local name=$1 wire
  shift
  # shellcheck disable=SC2086 # several options in one variable
  wire=$(curl --silent --show-error --max-time 60 ${CURL_OPTIONS:-} \
    --output "$answer" --write-out '%{http_code} HTTP/%{http_version}' "$@")
  status=${wire%% *}
  printf '== %s %s\n' "$name" "$wire"
  # A 204 leaves the previous file as it was.
  if [ "$status" = 204 ]; then : >"$answer"; fi
  sed -E 's/("client_secret": *)"[^"]+"/\1"(hidden)"/' "$answer"
  printf '\n'
}

# form NAME=VALUE… prints curl options that post a form.
# Equal names keep their order: it has a meaning.
form() {
  local field name
  if [ "${ORDER:-}" = reversed ]; then
    printf '%s\n' "$@" | sort --stable --reverse --field-separator== --key=1,1 |
      while IFS= read -r field; do
        name=${field%%=*}
        name=${name//\[/%5b}
        name=${name//\]/%5D}
        printf '%s\0' --data-urlencode "$name=${field#*=}"
      done
  else
    for field in "$@"; do printf '%s\0' --data-urlencode "$field"; done
  fi
}

# object MEMBER… prints a JSON object of members written as JSON.
object() {
  local i
  if [ "${ORDER:-}" = reversed ]; then
    printf '{\n'
    for ((i = $#; i > 0; i--)); do
      printf '    %s' "${!i}"
      if [ "$i" -gt 1 ]; then printf ' ,\n'; fi
    done
    printf '\n}\n'
  else
    local IFS=,
    printf '{%s}' "$*"
  fi
}
