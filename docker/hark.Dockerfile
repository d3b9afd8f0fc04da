# Hark itself: built with the codecs' libraries, run without a compiler and without root.
FROM golang:1.26-bookworm AS build
# A Go module proxy of your own, if you have one.
ARG GOPROXY
RUN apt-get update \
 && apt-get install -y --no-install-recommends libmp3lame-dev libopus-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go build -trimpath -o /hark ./cmd/hark

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libmp3lame0 libopus0 flite \
 && rm -rf /var/lib/apt/lists/*
# The same user number as in Asterisk's image: they share a folder of sounds and one of secrets.
RUN useradd --uid 7000 --create-home --home-dir /var/lib/hark hark \
 && install -d -o hark -g hark -m 700 /run/hark
COPY --from=build /hark /usr/local/bin/hark
COPY docker/hark.toml /etc/hark/hark.toml
USER hark
VOLUME /var/lib/hark
# It answers when its speech is rendered, which takes minutes on a slow machine at the first start.
HEALTHCHECK --interval=5s --timeout=5s --start-period=300s --retries=3 \
  CMD ["bash", "-c", ": </dev/tcp/127.0.0.1/8080"]
ENTRYPOINT ["hark"]
CMD ["serve"]
