#include "base/config_table.h"

#include "base/config.h"
#include "base/config_pool.h"

#define MS 1ull
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define MIB (1ull << 20)
#define TIB (1ull << 40)
#define PERIOD_MAX 1000000000 /* messages */

/* One row of a table; what does not belong to the kind of the option stays zero. */
#define ROW(type, field, name_, kind_, fallback_, ...)                                             \
	{                                                                                          \
		.name = (name_), .kind = (kind_), .offset = offsetof(struct type, field),          \
		.fallback = (fallback_), __VA_ARGS__                                               \
	}
#define RANGE(min_, max_) .min = (min_), .max = (max_)
#define SHAPE(shape_, expects_) .shape = config_shape_##shape_, .expects = (expects_)
#define ONE_OF(choices_, expects_) .choices = (choices_), .expects = (expects_)
#define NOT_TITLED(section, title, options_, ...)                                                  \
	const struct config_section config_section_##section = { .name = (title),                  \
								 .options = (options_),            \
								 .option_count =                   \
									 array_count(options_),    \
								 __VA_ARGS__ }
#define TITLED(section, title, options_, ...)                                                      \
	NOT_TITLED(section, title, options_, .titled = true, __VA_ARGS__)
#define INNER(sections_) .inner = (sections_), .inner_count = array_count(sections_)

static const char *const log_choices[] = { "error", "warn", "info", "debug", NULL };
static const char *const durability_choices[] = { "full", "relaxed", NULL };
static const char *const notice_choices[] = { "english", "japanese", "both", NULL };
static const char *const dots_choices[] = { "quoted", "raw", NULL };
static const char *const tls_choices[] = { "opportunistic", "never", "required", "unpublished",
					   "verify", "dane", NULL };

static const char *const tls_kernel_choices[] = { "auto", "always", "never", NULL };

static const struct config_option metrics_options[] = {
	ROW(config, metrics_listen, "listen", CONFIG_TEXT, "127.0.0.1:9641",
	    SHAPE(endpoint, "an address with port such as 127.0.0.1:9641 or [::1]:9641")),
	ROW(config, metrics_textfiles, "textfiles", CONFIG_TEXT, "",
	    SHAPE(path, "an absolute path")),
};
NOT_TITLED(metrics, "metrics", metrics_options);

static const struct config_option dns_options[] = {
	ROW(config_dns, forwarders, "forwarders", CONFIG_LIST, "",
	    SHAPE(forwarder, "an IP address, with @port behind it if need be")),
	ROW(config_dns, trust_anchor_file, "trust-anchor-file", CONFIG_TEXT, "",
	    SHAPE(path, "an absolute path")),
	ROW(config_dns, root_hints, "root-hints", CONFIG_TEXT, "", SHAPE(path, "an absolute path")),
	ROW(config_dns, trust_anchors, "trust-anchors", CONFIG_LIST, "",
	    SHAPE(any, "a DS or DNSKEY line")),
	ROW(config_dns, stub_zones, "stub-zones", CONFIG_LIST, "",
	    SHAPE(stub, "a zone, a space and an IP address with @port if need be")),
	ROW(config_dns, allow_destinations, "allow-destinations", CONFIG_LIST, "",
	    SHAPE(range, "a range such as 10.0.0.0/8, with no bits set behind the prefix")),
	ROW(config_dns, block_lists, "block-lists", CONFIG_LIST,
	    "zen.spamhaus.org bl.spamcop.net b.barracudacentral.org",
	    SHAPE(block_list, "a block list's domain name, or none")),
	ROW(config_dns, ipv4, "ipv4", CONFIG_FLAG, "true", RANGE(0, 0)),
	ROW(config_dns, ipv6, "ipv6", CONFIG_FLAG, "true", RANGE(0, 0)),
	ROW(config_dns, mta_sts, "mta-sts", CONFIG_FLAG, "true", RANGE(0, 0)),
};
NOT_TITLED(dns, "dns", dns_options);

static const struct config_option queue_options[] = {
	ROW(config_queue, map_size_max, "map-size-max", CONFIG_SIZE, "64G", RANGE(MIB, 64 * TIB)),
	ROW(config_queue, commit_interval_ms, "commit-interval", CONFIG_DURATION, "5ms",
	    RANGE(0, SECOND)),
	ROW(config_queue, durability, "durability", CONFIG_CHOICE, "full",
	    ONE_OF(durability_choices, "full or relaxed")),
	ROW(config_queue, in_flight, "in-flight", CONFIG_NUMBER, "65536", RANGE(1, 4 * MIB)),
	ROW(config_queue, in_doubt_delay_ms, "in-doubt-delay", CONFIG_DURATION, "15m",
	    RANGE(0, 7 * DAY)),
	ROW(config_queue, log_keep_ms, "log-keep", CONFIG_DURATION, "30d", RANGE(HOUR, 3650 * DAY)),
	ROW(config_queue, log_wait_ms, "log-wait", CONFIG_DURATION, "7d", RANGE(0, 3650 * DAY)),
	ROW(config_queue, log_size_max, "log-size-max", CONFIG_SIZE, "16G", RANGE(MIB, 64 * TIB)),
};
NOT_TITLED(queue, "queue", queue_options);

static const struct config_option retry_class_options[] = {
	ROW(config_retry_class, schedule, "schedule", CONFIG_DURATIONS, "",
	    RANGE(SECOND, 7 * DAY)),
	ROW(config_retry_class, expire_ms, "expire", CONFIG_DURATION, "", RANGE(MINUTE, 30 * DAY)),
};
TITLED(retry_class, "class", retry_class_options);

static const struct config_option retry_options[] = {
	ROW(config_retry, schedule, "schedule", CONFIG_DURATIONS, "5m 15m 1h 2h 4h",
	    RANGE(SECOND, 7 * DAY)),
	ROW(config_retry, jitter_percent, "jitter", CONFIG_NUMBER, "20", RANGE(0, 100)),
	ROW(config_retry, expire_ms, "expire", CONFIG_DURATION, "3d", RANGE(MINUTE, 30 * DAY)),
	ROW(config_retry, blocks_fail, "blocks-fail", CONFIG_FLAG, "false", RANGE(0, 0)),
	ROW(config_retry, delay_notice_ms, "delay-notice", CONFIG_DURATION, "4h",
	    RANGE(0, 30 * DAY)),
};
static const struct config_section *const retry_inner[] = { &config_section_retry_class };
NOT_TITLED(retry, "retry", retry_options, INNER(retry_inner));

static const struct config_option suppression_options[] = {
	ROW(config_suppression, hard, "hard", CONFIG_FLAG, "true", RANGE(0, 0)),
	ROW(config_suppression, soft, "soft", CONFIG_NUMBER, "5", RANGE(0, 1000)),
	ROW(config_suppression, remember_ms, "remember", CONFIG_DURATION, "400d",
	    RANGE(30 * DAY, 3650 * DAY)),
};
NOT_TITLED(suppression, "suppression", suppression_options);

static const struct config_option address_options[] = {
	ROW(config_address, ehlo, "ehlo", CONFIG_TEXT, NULL, SHAPE(domain, "a full host name")),
	ROW(config_address, shared, "shared", CONFIG_FLAG, "false", RANGE(0, 0)),
	ROW(config_address, rate_per_s, "rate", CONFIG_NUMBER, "0", RANGE(0, 1000000)),
	ROW(config_address, per_minute, "per-minute", CONFIG_NUMBER, "0", RANGE(0, PERIOD_MAX)),
	ROW(config_address, per_hour, "per-hour", CONFIG_NUMBER, "0", RANGE(0, PERIOD_MAX)),
	ROW(config_address, per_day, "per-day", CONFIG_NUMBER, "0", RANGE(0, PERIOD_MAX)),
	ROW(config_address, warm_up, "warm-up", CONFIG_FLAG, "false", RANGE(0, 0)),
	ROW(config_address, warm_up_day, "warm-up-day", CONFIG_NUMBER, "1", RANGE(1, 100)),
};
TITLED(address, "address", address_options);

static const struct config_option pool_options[] = {
	ROW(config_pool_text, addresses, "addresses", CONFIG_LIST, NULL,
	    SHAPE(source, "an IP address or \"any\"")),
};
TITLED(pool, "pool", pool_options);

static const struct config_option dkim_options[] = {
	ROW(config_dkim, key, "key", CONFIG_TEXT, NULL, SHAPE(path, "an absolute path")),
};
TITLED(dkim, "dkim", dkim_options);

static const struct config_option customer_options[] = {
	ROW(config_customer, sign, "sign", CONFIG_FLAG, "true", RANGE(0, 0)),
	ROW(config_customer, bounce, "bounce", CONFIG_TEXT, "bounce",
	    SHAPE(local, "1 to 24 letters, digits, '-' and '_'")),
	ROW(config_customer, notice_language, "notice-language", CONFIG_CHOICE, "both",
	    ONE_OF(notice_choices, "english, japanese or both")),
	ROW(config_customer, unsubscribe_url, "unsubscribe-url", CONFIG_TEXT, "",
	    SHAPE(url, "an https URL with {{_token}} in its path or query")),
	ROW(config_customer, unsubscribe_mailto, "unsubscribe-mailto", CONFIG_TEXT, "",
	    SHAPE(mailto, "an address with {{_token}} in its local part")),
};
static const struct config_section *const customer_inner[] = {
	&config_section_address,
	&config_section_pool,
	&config_section_dkim,
};
TITLED(customer, "customer", customer_options, INNER(customer_inner));

/* RFC 5321 section 4.5.3.2 where it has a number; it has none for TLS, QUIT and a whole message. */
#define TIMEOUT(what, fallback_)                                                                   \
	ROW(config_site, what##_timeout_ms, #what "-timeout", CONFIG_DURATION, fallback_,          \
	    RANGE(100 * MS, HOUR))

static const struct config_option site_options[] = {
	ROW(config_site, mx, "mx", CONFIG_LIST, "",
	    SHAPE(pattern, "a host name or a pattern such as *.example.com")),
	ROW(config_site, sessions, "sessions", CONFIG_NUMBER, "20", RANGE(1, 65536)),
	ROW(config_site, messages_per_session, "messages-per-session", CONFIG_NUMBER, "100",
	    RANGE(1, 1000000)),
	ROW(config_site, rate_per_s, "rate", CONFIG_NUMBER, "0", RANGE(0, 1000000)),
	ROW(config_site, per_minute, "per-minute", CONFIG_NUMBER, "0", RANGE(0, PERIOD_MAX)),
	ROW(config_site, per_hour, "per-hour", CONFIG_NUMBER, "0", RANGE(0, PERIOD_MAX)),
	ROW(config_site, per_day, "per-day", CONFIG_NUMBER, "0", RANGE(0, PERIOD_MAX)),
	ROW(config_site, total_sessions, "total-sessions", CONFIG_NUMBER, "0", RANGE(0, 65536)),
	ROW(config_site, total_rate_per_s, "total-rate", CONFIG_NUMBER, "0", RANGE(0, 1000000)),
	ROW(config_site, total_per_minute, "total-per-minute", CONFIG_NUMBER, "0",
	    RANGE(0, PERIOD_MAX)),
	ROW(config_site, total_per_hour, "total-per-hour", CONFIG_NUMBER, "0",
	    RANGE(0, PERIOD_MAX)),
	ROW(config_site, total_per_day, "total-per-day", CONFIG_NUMBER, "0", RANGE(0, PERIOD_MAX)),
	ROW(config_site, reserve_percent, "reserve", CONFIG_NUMBER, "5", RANGE(0, 50)),
	ROW(config_site, warm_up_first, "warm-up-first", CONFIG_NUMBER, "100", RANGE(1, 1000000)),
	ROW(config_site, warm_up_growth_percent, "warm-up-growth", CONFIG_NUMBER, "150",
	    RANGE(101, 300)),
	ROW(config_site, warm_up_target, "warm-up-target", CONFIG_NUMBER, "50000",
	    RANGE(1, PERIOD_MAX)),
	ROW(config_site, adaptive, "adaptive", CONFIG_FLAG, "true", RANGE(0, 0)),
	ROW(config_site, depth, "depth", CONFIG_NUMBER, "4", RANGE(1, CONFIG_DEPTH_MAX)),
	ROW(config_site, recipients_per_message, "recipients-per-message", CONFIG_NUMBER, "100",
	    RANGE(1, CONFIG_RECIPIENTS_MAX)),
	ROW(config_site, idle_ms, "idle", CONFIG_DURATION, "10s", RANGE(0, 5 * MINUTE)),
	ROW(config_site, tls, "tls", CONFIG_CHOICE, "opportunistic",
	    ONE_OF(tls_choices, "opportunistic, never, required, unpublished, verify or dane")),
	ROW(config_site, tls_kernel, "tls-kernel", CONFIG_CHOICE, "auto",
	    ONE_OF(tls_kernel_choices, "auto, always or never")),
	ROW(config_site, odd_dots, "odd-dots", CONFIG_CHOICE, "quoted",
	    ONE_OF(dots_choices, "quoted or raw")),
	ROW(config_site, bad_mailbox_strikes, "bad-mailbox-strikes", CONFIG_NUMBER, "1",
	    RANGE(1, 100)),
	ROW(config_site, bad_mailbox_apart_ms, "bad-mailbox-apart", CONFIG_DURATION, "3d",
	    RANGE(0, 365 * DAY)),
	ROW(config_site, connect_timeout_ms, "connect-timeout", CONFIG_DURATION, "30s",
	    RANGE(100 * MS, 5 * MINUTE)),
	TIMEOUT(greeting, "5m"),
	TIMEOUT(ehlo, "5m"),
	TIMEOUT(tls, "2m"),
	TIMEOUT(mail, "5m"),
	TIMEOUT(rcpt, "5m"),
	TIMEOUT(data, "2m"),
	TIMEOUT(block, "3m"),
	TIMEOUT(dot, "10m"),
	TIMEOUT(quit, "10s"),
	ROW(config_site, message_timeout_ms, "message-timeout", CONFIG_DURATION, "1h",
	    RANGE(SECOND, DAY)),
};
TITLED(site, "site", site_options);

static const struct config_option route_options[] = {
	ROW(config_route, relay, "relay", CONFIG_TEXT, NULL,
	    SHAPE(endpoint, "an address with port such as 127.0.0.1:2525 or [::1]:2525")),
};
TITLED(route, "route", route_options);

static const struct config_option reply_options[] = {
	ROW(config_reply, class_name, "class", CONFIG_TEXT, NULL,
	    SHAPE(reply_class, "a class of replies such as rate, reputation or bad-mailbox")),
	ROW(config_reply, code_text, "code", CONFIG_TEXT, "",
	    SHAPE(reply_code, "a reply code or its leading digits, such as 4, 55 or 550")),
	ROW(config_reply, enhanced_text, "enhanced", CONFIG_TEXT, "",
	    SHAPE(reply_enhanced, "an enhanced code such as 5.7.1, or 5.7 for any detail")),
	ROW(config_reply, text, "text", CONFIG_LIST, "",
	    SHAPE(fragment, "words of a reply, 3 to 120 bytes")),
	ROW(config_reply, mx, "mx", CONFIG_LIST, "",
	    SHAPE(pattern, "a host name or a pattern such as *.example.com")),
};
TITLED(reply, "reply", reply_options);

static const struct config_option receive_options[] = {
	ROW(config_receive, listen, "listen", CONFIG_LIST, "0.0.0.0:25 [::]:25",
	    SHAPE(door, "an address with port such as 0.0.0.0:25 or [::]:25")),
	ROW(config_receive, hostname, "hostname", CONFIG_TEXT, NULL,
	    SHAPE(domain, "a full host name")),
	ROW(config_receive, tls_certificate, "tls-certificate", CONFIG_TEXT, "",
	    SHAPE(path, "an absolute path")),
	ROW(config_receive, spool, "spool", CONFIG_TEXT, "/data/receive/spool",
	    SHAPE(path, "an absolute path")),
	ROW(config_receive, spool_max, "spool-max", CONFIG_SIZE, "4G", RANGE(MIB, 64 * TIB)),
	ROW(config_receive, spool_free, "spool-free", CONFIG_SIZE, "1G", RANGE(0, 64 * TIB)),
	ROW(config_receive, message_max, "message-max", CONFIG_SIZE, "50M",
	    RANGE(MIB / 16, 1024 * MIB)),
	ROW(config_receive, connections, "connections", CONFIG_NUMBER, "5000", RANGE(1, 60000)),
	ROW(config_receive, connections_per_client, "connections-per-client", CONFIG_NUMBER, "20",
	    RANGE(1, 60000)),
	ROW(config_receive, forward_to, "forward-to", CONFIG_TEXT, "",
	    SHAPE(mailbox, "an address such as postmaster@example.jp")),
	ROW(config_receive, metrics, "metrics", CONFIG_TEXT, "",
	    SHAPE(endpoint, "an address with port such as 127.0.0.1:9642")),
	ROW(config_receive, user, "user", CONFIG_TEXT, "receive",
	    SHAPE(any, "the name of a user")),
};
NOT_TITLED(receive, "receive", receive_options);

static const struct config_option web_options[] = {
	ROW(config_web, listen, "listen", CONFIG_TEXT, "/run/hikyaku/web.sock",
	    SHAPE(socket, "an absolute path of at most 107 bytes")),
	ROW(config_web, api_keys, "api-keys", CONFIG_TEXT, "/data/etc/api-keys.conf",
	    SHAPE(path, "an absolute path")),
	ROW(config_web, invitations, "invitations", CONFIG_TEXT, "/data/etc/web-invitations.conf",
	    SHAPE(path, "an absolute path")),
	ROW(config_web, user, "user", CONFIG_TEXT, "web", SHAPE(any, "the name of a user")),
	ROW(config_web, body_max, "body-max", CONFIG_SIZE, "32M", RANGE(MIB / 16, 64 * MIB)),
	ROW(config_web, upload_max, "upload-max", CONFIG_SIZE, "1G", RANGE(MIB, 65536 * MIB)),
	ROW(config_web, image_max, "image-max", CONFIG_SIZE, "10M", RANGE(MIB / 16, 64 * MIB)),
	ROW(config_web, images_max, "images-max", CONFIG_SIZE, "1G", RANGE(MIB, 64 * TIB)),
	ROW(config_web, rate, "rate", CONFIG_NUMBER, "50", RANGE(0, 100000)),
	ROW(config_web, workers, "workers", CONFIG_NUMBER, "0", RANGE(0, 16)),
	ROW(config_web, audience, "audience", CONFIG_TEXT, "/data/web/audience",
	    SHAPE(path, "an absolute path")),
	ROW(config_web, url, "url", CONFIG_TEXT, "",
	    SHAPE(site_url, "https:// and the name of a host, nothing behind it")),
	ROW(config_web, audience_max, "audience-max", CONFIG_SIZE, "64G",
	    RANGE(64 * MIB, 64 * TIB)),
	ROW(config_web, metrics, "metrics", CONFIG_TEXT, "",
	    SHAPE(endpoint, "an address with port such as 127.0.0.1:9643")),
	ROW(config_web, check_identity, "check-identity", CONFIG_FLAG, "true", RANGE(0, 0)),
};
NOT_TITLED(web, "web", web_options);

static const struct config_option www_options[] = {
	ROW(config_www, listen, "listen", CONFIG_LIST, "0.0.0.0:80 [::]:80",
	    SHAPE(endpoint, "an address with port such as 0.0.0.0:80 or [::]:80")),
	ROW(config_www, listen_tls, "listen-tls", CONFIG_LIST, "0.0.0.0:443 [::]:443",
	    SHAPE(door, "an address with port such as 0.0.0.0:443 or [::]:443, or none")),
	ROW(config_www, names, "names", CONFIG_LIST, "", SHAPE(domain, "a full host name")),
	ROW(config_www, site, "site", CONFIG_TEXT, "/data/site",
	    SHAPE(www_path, "an absolute path without quotes and backslashes")),
	ROW(config_www, folder, "folder", CONFIG_TEXT, "/data/www",
	    SHAPE(www_path, "an absolute path without quotes and backslashes")),
	ROW(config_www, run, "run", CONFIG_TEXT, "/run/www",
	    SHAPE(www_path, "an absolute path without quotes and backslashes")),
	ROW(config_www, server, "server", CONFIG_TEXT, "/sbin/lighttpd",
	    SHAPE(path, "an absolute path")),
	ROW(config_www, certificate, "certificate", CONFIG_TEXT, "",
	    SHAPE(path, "an absolute path")),
	ROW(config_www, key, "key", CONFIG_TEXT, "", SHAPE(path, "an absolute path")),
	ROW(config_www, acme, "acme", CONFIG_FLAG, "false", RANGE(0, 0)),
	ROW(config_www, acme_directory, "acme-directory", CONFIG_TEXT,
	    "https://acme-v02.api.letsencrypt.org/directory",
	    SHAPE(hook_url, "a URL that begins with https://")),
	ROW(config_www, acme_contact, "acme-contact", CONFIG_TEXT, "",
	    SHAPE(mailbox, "an address such as hostmaster@example.jp")),
	ROW(config_www, acme_ca_file, "acme-ca-file", CONFIG_TEXT, "",
	    SHAPE(path, "an absolute path")),
	ROW(config_www, acme_early_ms, "acme-early", CONFIG_DURATION, "30d",
	    RANGE(DAY, 60 * DAY)),
	ROW(config_www, hsts_ms, "hsts", CONFIG_DURATION, "365d", RANGE(0, 730 * DAY)),
	ROW(config_www, connections, "connections", CONFIG_NUMBER, "4096", RANGE(64, 60000)),
	ROW(config_www, connections_per_client, "connections-per-client", CONFIG_NUMBER, "100",
	    RANGE(4, 60000)),
	ROW(config_www, access_log, "access-log", CONFIG_FLAG, "true", RANGE(0, 0)),
	ROW(config_www, access_log_max, "access-log-max", CONFIG_SIZE, "16M",
	    RANGE(MIB / 16, TIB)),
};
NOT_TITLED(www, "www", www_options);

static const struct config_option submission_options[] = {
	ROW(config_submission, listen, "listen", CONFIG_LIST, "0.0.0.0:587 [::]:587",
	    SHAPE(door, "an address with port such as 0.0.0.0:587 or [::]:587, or none")),
	ROW(config_submission, listen_tls, "listen-tls", CONFIG_LIST, "0.0.0.0:465 [::]:465",
	    SHAPE(door, "an address with port such as 0.0.0.0:465 or [::]:465, or none")),
	ROW(config_submission, listen_clear, "listen-clear", CONFIG_LIST, "",
	    SHAPE(loopback, "an address of this machine alone, such as 127.0.0.1:587")),
	ROW(config_submission, users, "users", CONFIG_TEXT, "/data/etc/users",
	    SHAPE(path, "an absolute path")),
	ROW(config_submission, spool, "spool", CONFIG_TEXT, "/data/receive/submitted",
	    SHAPE(path, "an absolute path")),
	ROW(config_submission, message_max, "message-max", CONFIG_SIZE, "25M",
	    RANGE(MIB / 16, 31 * MIB)),
	ROW(config_submission, recipients, "recipients", CONFIG_NUMBER, "100", RANGE(100, 1000)),
	ROW(config_submission, per_hour, "per-hour", CONFIG_NUMBER, "10000", RANGE(0, PERIOD_MAX)),
};
NOT_TITLED(submission, "submission", submission_options);

static const struct config_option hook_options[] = {
	ROW(config_hook, url, "url", CONFIG_TEXT, NULL,
	    SHAPE(hook_url, "a URL that begins with https:// (or http://), without a password")),
	ROW(config_hook, secret_file, "secret-file", CONFIG_TEXT, NULL,
	    SHAPE(path, "an absolute path")),
	ROW(config_hook, events, "events", CONFIG_LIST, "",
	    SHAPE(event, "an outcome of the delivery log, such as delivered, failed or bounced")),
	ROW(config_hook, customers, "customers", CONFIG_LIST, "",
	    SHAPE(domain, "the domain of a customer")),
	ROW(config_hook, ca_file, "ca-file", CONFIG_TEXT, "", SHAPE(path, "an absolute path")),
	ROW(config_hook, batch, "batch", CONFIG_NUMBER, "500", RANGE(1, 1000)),
	ROW(config_hook, allow_private, "allow-private", CONFIG_FLAG, "false", RANGE(0, 0)),
	ROW(config_hook, timeout_ms, "timeout", CONFIG_DURATION, "15s",
	    RANGE(SECOND, 2 * MINUTE)),
	ROW(config_hook, retry_ms, "retry", CONFIG_DURATION, "5s", RANGE(100 * MS, HOUR)),
	ROW(config_hook, suspend_after_ms, "suspend-after", CONFIG_DURATION, "5d",
	    RANGE(HOUR, 60 * DAY)),
};
TITLED(hook, "hook", hook_options);

static const struct config_option root_options[] = {
	ROW(config, data, "data", CONFIG_TEXT, "/data", SHAPE(path, "an absolute path")),
	ROW(config, control, "control", CONFIG_TEXT, "/run/hikyaku/send.sock",
	    SHAPE(socket, "an absolute path of at most 107 bytes")),
	ROW(config, provider_rules, "provider-rules", CONFIG_FLAG, "true", RANGE(0, 0)),
	ROW(config, tls_report, "tls-report", CONFIG_FLAG, "true", RANGE(0, 0)),
	ROW(config, tls_report_contact, "tls-report-contact", CONFIG_TEXT, "",
	    SHAPE(mailbox, "an address such as postmaster@example.com")),
	ROW(config, workers, "workers", CONFIG_NUMBER, "0", RANGE(0, 256)),
	ROW(config, log, "log", CONFIG_CHOICE, "info",
	    ONE_OF(log_choices, "error, warn, info or debug")),
};
static const struct config_section *const root_inner[] = {
	&config_section_metrics, &config_section_dns,	   &config_section_queue,
	&config_section_suppression,
	&config_section_retry,	 &config_section_customer, &config_section_site,
	&config_section_route,	 &config_section_reply,    &config_section_receive,
	&config_section_web,
	&config_section_www,
	&config_section_submission,
	&config_section_hook,
};
NOT_TITLED(root, "root", root_options, INNER(root_inner));
