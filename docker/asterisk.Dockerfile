# Asterisk 22 from Debian, with the configuration of asterisk-conf/. Nothing in it runs as root.
FROM debian:sid-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends asterisk asterisk-core-sounds-en-wav \
 && rm -rf /var/lib/apt/lists/* \
 && ln -sfn en_US_f_Allison /usr/share/asterisk/sounds/en

# The same user number as in Hark's image: they share a folder of sounds and one of secrets.
RUN useradd --uid 7000 --create-home --home-dir /srv/asterisk hark \
 && install -d -o hark -g hark -m 700 /var/lib/hark /run/hark /srv/asterisk/spool

COPY asterisk-conf/*.conf /etc/hark-asterisk/
COPY docker/fill.sh docker/asterisk-start.sh /usr/local/bin/
USER hark
VOLUME /srv/asterisk/spool
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
  CMD ["asterisk", "-C", "/srv/asterisk/etc/asterisk.conf", "-rx", "core waitfullybooted"]
ENTRYPOINT ["asterisk-start.sh"]
