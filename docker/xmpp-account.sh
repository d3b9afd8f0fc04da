#!/bin/sh
# Makes an account, and prints its address and password: docker compose exec prosody xmpp-account.sh alice [PASSWORD]
set -eu
domain=${HARK_XMPP_DOMAIN:-chat.hark.internal}
password=${2:-$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')}
prosodyctl --config /srv/prosody/prosody.cfg.lua register "$1" "$domain" "$password" >/dev/null
printf '%s@%s %s\n' "$1" "$domain" "$password"
