# Prosody, an XMPP server, so that there is somebody to write to. Nothing in it runs as root.
FROM debian:bookworm-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends prosody lua-unbound openssl \
 && rm -rf /var/lib/apt/lists/*

RUN useradd --uid 7000 --create-home --home-dir /srv/prosody hark \
 && install -d -o hark -g hark -m 700 /srv/prosody/data /run/hark

COPY docker/prosody.cfg.lua /etc/hark-prosody/
COPY docker/fill.sh docker/prosody-start.sh docker/xmpp-account.sh /usr/local/bin/
USER hark
VOLUME /srv/prosody/data
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=3 \
  CMD ["bash", "-c", ": </dev/tcp/127.0.0.1/5222"]
ENTRYPOINT ["prosody-start.sh"]
