#!/usr/bin/env bash
# Makes the images that the Dockerfiles are built on, from Debian's packages and this machine's Go, where no registry can
# be reached. Needs root, docker, debootstrap, and Go 1.26.
#
# The machine's own certificates and apt settings go along, so that builds reach the same mirrors.
set -euo pipefail

say() { printf 'base-images: %s\n' "$*" >&2; }

mirror=$(apt-get indextargets --format '$(ORIGIN)|$(COMPONENT)|$(SUITE)|$(REPO_URI)' 'Created-By: Packages' |
	awk -F'|' '$1 == "Debian" && $2 == "main" && $3 !~ /-/ { print $4; exit }')
[[ -n $mirror ]] || { say "this machine's apt knows no archive of Debian" && exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# debian SUITE makes debian:SUITE-slim.
debian() {
	local root=$work/$1
	say "debootstrap $1"
	debootstrap --variant=minbase --include=ca-certificates "$1" "$root" "$mirror" >"$work/$1.log" 2>&1 ||
		{ tail -n 3 "$work/$1.log" >&2 && exit 1; }
	rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
	cp /etc/apt/apt.conf.d/99* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
	cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
	tar -C "$root" -c . | docker import --change 'CMD ["bash"]' - "debian:$1-slim" >/dev/null
	rm -rf "$root"
}

# golang makes golang:1.26-bookworm of this machine's Go.
golang() {
	say "golang:1.26-bookworm"
	mkdir "$work/golang"
	cp -a "$(go env GOROOT)" "$work/golang/go"
	docker build --quiet --tag golang:1.26-bookworm --file - "$work/golang" >/dev/null <<-'END'
		FROM debian:bookworm-slim
		RUN apt-get update && apt-get install -y --no-install-recommends gcc g++ libc6-dev make pkg-config git && rm -rf /var/lib/apt/lists/*
		COPY go /usr/local/go
		ENV GOPATH=/go PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		WORKDIR /go
	END
}

debian sid
debian bookworm
golang
say "made debian:sid-slim, debian:bookworm-slim and golang:1.26-bookworm"
