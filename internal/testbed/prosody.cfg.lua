-- The Prosody that tests and the demo start: one domain, accounts in files, everything on loopback. Filled in by
-- prosody_lay.go, with the same kind of placeholders as asterisk-conf/.

run_as_root = true -- a container's tests often are root; Prosody refuses it otherwise
pidfile = "@HARK_DIR@/prosody.pid"
data_path = "@HARK_DIR@/data"
interfaces = { "@HARK_HOST@" }
c2s_ports = { @HARK_PORT@ }
http_interfaces = { "@HARK_HOST@" }
http_ports = { @HARK_HTTP_PORT@ }
https_ports = {}

-- Logins and resumptions are counted from this log.
log = { { levels = { min = "@HARK_LOG@" }, to = "file", filename = "@HARK_DIR@/log" } }

authentication = "internal_hashed"
c2s_require_encryption = true
ssl = { certificate = "@HARK_DIR@/cert.pem", key = "@HARK_DIR@/key.pem" }

smacks_hibernation_time = @HARK_HIBERNATION@
archive_expires_after = "never"
default_archive_policy = true

modules_enabled = {
	"posix", "disco", "roster", "saslauth", "tls", "ping", "carbons", "mam", "smacks",
	"pep", "blocklist", "vcard4", "vcard_legacy", "private", "version", "time",
}
modules_disabled = { "s2s" }
consider_bosh_secure = true -- it is reached on loopback only

VirtualHost "@HARK_DOMAIN@"
@HARK_COMPONENTS@
