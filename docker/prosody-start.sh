#!/bin/sh
# Fills in the configuration from the environment, makes a certificate at the first start, and becomes Prosody. Hark
# trusts the certificate through the shared folder /run/hark/ca.
set -eu
umask 077

export HARK_XMPP_DOMAIN="${HARK_XMPP_DOMAIN:-chat.hark.internal}"
data=/srv/prosody/data
if [ ! -s $data/key.pem ] || ! openssl x509 -in $data/cert.pem -noout -checkhost "$HARK_XMPP_DOMAIN" | grep -q 'does match'; then
	openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout $data/key.pem -out $data/cert.pem \
		-subj "/CN=$HARK_XMPP_DOMAIN" -addext "subjectAltName=DNS:$HARK_XMPP_DOMAIN" 2>/dev/null
fi
mkdir -p /run/hark/ca /srv/prosody/certs
cp $data/cert.pem /run/hark/ca/xmpp.pem

fill.sh /etc/hark-prosody /srv/prosody
exec prosody -F --config /srv/prosody/prosody.cfg.lua
