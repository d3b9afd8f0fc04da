#!/bin/sh
# Fills in the configuration from the environment, makes the ARI password at the first start, and becomes Asterisk.
set -eu
umask 077

secret=/run/hark/ari.secret
[ -s "$secret" ] || head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$secret"

home=/srv/asterisk
mkdir -p $home/etc $home/lib/keys $home/run $home/log $home/c $home/spool/recording
ln -sfn /dev/stdout $home/log/messages

# The address by which only Hark's network reaches this container.
ari_host=$(getent ahostsv4 "${HARK_ARI_NAME:-localhost}" | awk 'NR == 1 { print $1 }')

modules=$(echo /usr/lib/*/asterisk/modules)
password=$(cat $secret)
export HARK_ETC=$home/etc HARK_VAR=$home HARK_DATA=/usr/share/asterisk HARK_MODULES="$modules"
export HARK_ARI_HOST="${ari_host:?$HARK_ARI_NAME has no address}" HARK_ARI_PORT="${HARK_ARI_PORT:-8088}"
export HARK_ARI_USER=hark HARK_ARI_PASSWORD="$password"
export HARK_SIP_HOST="${HARK_SIP_HOST:-0.0.0.0}" HARK_SIP_PORT="${HARK_SIP_PORT:-5060}"
export HARK_RTP_START="${HARK_RTP_START:-10000}" HARK_RTP_END="${HARK_RTP_END:-10099}"
export HARK_NUMBER="${HARK_NUMBER:-7000}" HARK_CODECS="${HARK_CODECS:-ulaw,alaw,opus}"
export HARK_LOG_LEVELS="${HARK_LOG_LEVELS:-notice,warning,error}"
# Nobody can register as the telephone until you give it a password.
export HARK_PHONE_PASSWORD="${HARK_PHONE_PASSWORD:-$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')}"
fill.sh /etc/hark-asterisk $HARK_ETC

# Behind a router, callers outside must be told the address that they can reach.
: >$HARK_ETC/pjsip_local.conf
if [ -n "${HARK_EXTERNAL_ADDRESS:-}" ]; then
	cat >$HARK_ETC/pjsip_local.conf <<-END
		[udp](+)
		external_media_address = $HARK_EXTERNAL_ADDRESS
		external_signaling_address = $HARK_EXTERNAL_ADDRESS
		local_net = 127.0.0.0/8
	END
fi
exec asterisk -C $HARK_ETC/asterisk.conf -f
