#!/bin/sh
# Creates a document, changes it without overwriting others, commits it, and restores an earlier moment.
# Needs IZANAGI_URL and IZANAGI_TOKEN. Prints the id of the document.
set -eu

api="$IZANAGI_URL/api/v1"
json='content-type: application/json'

# call METHOD PATH [CURL OPTIONS…]: fails on an error, and shows the server's answer then.
call() {
  method=$1 path=$2
  shift 2
  curl --silent --show-error --fail-with-body --request "$method" "$api$path" \
    --header "authorization: Bearer $IZANAGI_TOKEN" "$@"
}

# header NAME: the value of this header, of a head on standard input.
header() {
  tr -d '\r' | sed -n "s/^$1: *//p"
}

# A request with a key can be sent again after a lost answer: it is done once.
location=$(call POST /documents -H "$json" -H "idempotency-key: create-$$" --output /dev/null --dump-header - \
  -d '{"title": "Ferry times", "content": "At nine.\n"}' | header location)
id=${location##*/}

# The ETag names the text that was read. If others have changed it since, the answer is 412 with their text.
etag=$(call GET "/documents/$id" --output /dev/null --dump-header - | header etag)
call PUT "/documents/$id" -H "$json" -H "if-match: $etag" -d '{"content": "At ten.\n"}' >/dev/null

call POST "/documents/$id/versions" -H "$json" -d '{"message": "An hour later"}' >/dev/null

# Every edit is kept: sessions list who edited when, and the text after any edit can be read.
call GET "/documents/$id/edits/sessions" >/dev/null
before=$(call GET "/documents/$id/edits/text?seq=0")
[ "$before" = "At nine." ]

# Restoring commits the present text first, and is one more version itself.
call POST "/documents/$id/edits/restore" -H "$json" -d '{"seq": 0}' >/dev/null
call GET "/documents/$id/versions" >/dev/null

echo "$id"
