-- The Prosody of docker-compose: one domain, accounts in files, clients on 5222 with TLS, no other servers.
pidfile = "/srv/prosody/prosody.pid"
data_path = "/srv/prosody/data"
c2s_ports = { 5222 }
http_ports = {}
https_ports = {}

log = { info = "*console" }

authentication = "internal_hashed"
c2s_require_encryption = true
ssl = { certificate = "/srv/prosody/data/cert.pem", key = "/srv/prosody/data/key.pem" }

archive_expires_after = "1w"
modules_enabled = {
	"posix", "disco", "roster", "saslauth", "tls", "ping", "carbons", "mam", "smacks",
	"pep", "blocklist", "vcard4", "vcard_legacy", "private", "version", "time",
}
modules_disabled = { "s2s" }

VirtualHost "@HARK_XMPP_DOMAIN@"
