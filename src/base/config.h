/*
 * The configuration of the sender: one file, read once at start, checked as a whole before anything
 * uses it. What is wrong is told as "file:line: section: option: why", and the first wrong thing is
 * the one that is told. Unknown options and sections are refused, so is whatever is given twice.
 *
 * Syntax (libconfuse's, with a few restrictions): `option = value`, `list = {"a", "b"}`,
 * `section {...}`, `section "title" {...}`; comments are #, // and C's; a semicolon is white space.
 * A string ends on its line; in double quotes only \" and \\ are escapes; there are neither
 * environment variables nor includes nor `+=`. Durations are "250ms", "30s", "5m", "2h", "3d" (a
 * bare number counts seconds), sizes "64K", "512M", "64G", "1T" (a bare number counts bytes), flags
 * are true or false.
 *
 * Every text, list and array belongs to the struct config and dies with config_free. Addresses stay
 * text here; they are checked for shape and are in the form that inet_ntop writes. Domain and host
 * names are lower case, without a final dot. Files that are named (keys, trust anchors) are not
 * opened.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/smtp_class.h"
#include "base/types.h"

#define CONFIG_FILE_MAX (1024 * 1024) /* bytes */
#define CONFIG_LIST_MAX 256	      /* items of one list */
#define CONFIG_CUSTOMERS_MAX 1024
#define CONFIG_ADDRESSES_MAX 64 /* of one customer */
#define CONFIG_DKIM_MAX 2	/* of one customer */
#define CONFIG_SITES_MAX 256 /* of the operator's file */
#define CONFIG_ROUTES_MAX 1024
#define CONFIG_REPLIES_MAX 256
#define CONFIG_HOOKS_MAX 32
#define CONFIG_FRAGMENTS_MAX 8 /* of one reply pattern */
#define CONFIG_FRAGMENT_MIN 3  /* bytes */
#define CONFIG_FRAGMENT_MAX 120
#define CONFIG_NOWHERE "none" /* as an address to listen at */
#define CONFIG_ANY_ADDRESS "any" /* as a customer's address: the kernel chooses the source */

struct config_list {
	const char *const *items; /* NULL when empty */
	size_t count;
};

enum config_log { CONFIG_LOG_ERROR, CONFIG_LOG_WARN, CONFIG_LOG_INFO, CONFIG_LOG_DEBUG };
enum config_durability {
	CONFIG_DURABILITY_FULL,	   /* every commit is on the disk before it counts */
	CONFIG_DURABILITY_RELAXED, /* a power cut may take back the last commits */
};
/* How the local part of `a..b@x` goes to a receiver. */
enum config_dots { CONFIG_DOTS_QUOTED, CONFIG_DOTS_RAW };
/* What notices to senders are written in; as enum notice_language. */
enum config_notice { CONFIG_NOTICE_ENGLISH, CONFIG_NOTICE_JAPANESE, CONFIG_NOTICE_BOTH };
/* See hikyaku.conf(5). */
enum config_tls {
	CONFIG_TLS_OPPORTUNISTIC, /* and what receivers publish is demanded of them */
	CONFIG_TLS_NEVER,
	CONFIG_TLS_REQUIRED,
	CONFIG_TLS_UNPUBLISHED,   /* opportunistic, whatever receivers publish */
	CONFIG_TLS_VERIFY,
	CONFIG_TLS_DANE,
};

/* Whether the kernel encrypts what is sent over TLS (kTLS). */
enum config_tls_kernel {
	CONFIG_TLS_KERNEL_AUTO, /* from the first large message of a session on */
	CONFIG_TLS_KERNEL_ALWAYS,
	CONFIG_TLS_KERNEL_NEVER,
};

struct config_dns {
	struct config_list forwarders;	  /* "192.0.2.53" or "192.0.2.53@5353" */
	const char *trust_anchor_file;	  /* NULL when not given */
	const char *root_hints;		  /* file; NULL when not given */
	struct config_list trust_anchors; /* DS or DNSKEY lines */
	struct config_list stub_zones;	  /* "zone 127.0.0.1@5353" */
	struct config_list
		allow_destinations; /* "127.0.0.0/8": special ranges mailed to all the same */
	struct config_list block_lists; /* zones for `check identity`; "none": not one is asked */
	bool ipv4;
	bool ipv6;
	bool mta_sts; /* policies of receivers are asked for, and kept to */
};

struct config_queue {
	u64 map_size_max;	/* bytes; 1 MiB..64 TiB */
	u64 commit_interval_ms; /* 0..1000 */
	enum config_durability durability;
	u32 in_flight;	       /* records leased at once; 1..4194304 */
	u64 in_doubt_delay_ms; /* 0..7d */
	u64 log_keep_ms;       /* 1h..3650d */
	u64 log_wait_ms;       /* how much longer for readers that are behind; 0..3650d */
	u64 log_size_max;      /* bytes; 1 MiB..64 TiB */
};

struct config_durations {
	const u64 *ms;
	size_t count;
};

/* After failures of one class of replies. */
struct config_retry_class {
	struct config_durations schedule; /* never empty */
	u64 expire_ms; /* a row this old gives up; up to 30d; 0: when its own time is over */
};

struct config_retry {
	struct config_durations
		schedule;   /* waits after each failure, 1s..7d; the last one repeats */
	struct config_retry_class classes[SMTP_CLASS_COUNT]; /* what counts; by enum smtp_class */
	u32 jitter_percent; /* 0..100 */
	u64 expire_ms;	    /* 1m..30d, not less than the first wait */
	bool blocks_fail;   /* a final refusal of the sender is final for the recipient */
	u64 delay_notice_ms; /* age at which a letter's sender is told that it is late; 0: never */
};

/* When results of sending suppress an address. */
struct config_suppression {
	bool hard; /* at once when the receiver says that there is no such mailbox */
	u32 soft;  /* after so many other failures in a row; 0..1000, 0: never */
	u64 remember_ms; /* 30d..3650d: whom a message was for, by its token */
};

#define CONFIG_SOURCE_ANY UINT32_MAX /* in place of a number: the kernel's choice */

struct config_address {
	const char *ip; /* source of connections: IPv4, IPv6 or CONFIG_ANY_ADDRESS */
	const char *ehlo;
	bool shared;	 /* other customers may name it, too */
	u32 rate_per_s;	 /* over all receivers; 0..1000000; 0: no limit */
	u32 per_minute;	 /* messages in any minute, hour, day; 0..1e9; 0: no limit */
	u32 per_hour;
	u32 per_day;
	bool warm_up;	 /* new at its receivers: delivery/warmup.h */
	u32 warm_up_day; /* of the plan, where it begins; 1..100 */
	u32 number;	 /* the same address has the same one everywhere, from 0 on */
};

/* Kinds of mail that go by addresses of their own. */
enum config_pool_kind { CONFIG_POOL_BULK, CONFIG_POOL_TRANSACTIONAL, CONFIG_POOLS };

/* Places in the customer's list of addresses. At least one address is there. */
struct config_pool {
	u8 v4[CONFIG_ADDRESSES_MAX];
	u8 v6[CONFIG_ADDRESSES_MAX];
	u32 v4_count;
	u32 v6_count;
	u32 any; /* place + 1 of CONFIG_ANY_ADDRESS; 0: it is not in the pool */
};

struct config_dkim {
	const char *selector;
	const char *key; /* path of a PEM file */
};

struct config_customer {
	const char *domain;
	const struct config_address *addresses;
	size_t address_count; /* at least 1 */
	struct config_pool pools[CONFIG_POOLS];
	const struct config_dkim *dkim;
	size_t dkim_count;		/* 1..CONFIG_DKIM_MAX; 0 exactly when !sign */
	bool sign;			/* false only for measurements: mail goes out unsigned */
	const char *bounce;		/* local-part prefix of envelope senders */
	enum config_notice notice_language;
	const char *unsubscribe_url;	/* https, has {{_token}}; NULL when not given */
	const char *unsubscribe_mailto; /* address, has {{_token}}; NULL when not given */
};

/* As many as the SMTP client is made for. */
#define CONFIG_DEPTH_MAX 8
#define CONFIG_RECIPIENTS_MAX 100

/* Mail that comes in: `hikyaku receive`. */
struct config_receive {
	struct config_list listen; /* "0.0.0.0:25"; empty: there is no such section */
	const char *hostname;
	const char *tls_certificate; /* path of a PEM file with its key; NULL: one is made */
	const char *spool;	   /* folder */
	u64 spool_max;		   /* bytes of mail in it; 1 MiB..64 TiB */
	u64 spool_free;		   /* bytes that stay free on its disk; 0..64 TiB */
	u64 message_max;	   /* bytes; 64 KiB..1 GiB */
	u32 connections;	   /* 1..60000 */
	u32 connections_per_client; /* of one IPv4 address or IPv6 /64; 1..60000 */
	const char *forward_to;	   /* mailbox for mail that a person should see; NULL: none */
	const char *metrics;	   /* "127.0.0.1:9642": its page; NULL: none */
	const char *user;	   /* whom `send` lets do no more than this role needs */
};

/* Newsletter service and interface for programs: `hikyaku web`, behind a web server. */
struct config_web {
	const char *listen;   /* absolute path of a unix socket, which speaks SCGI */
	const char *api_keys; /* absolute path of the file: base/api_key.h */
	const char *invitations; /* absolute path of the file: base/invitation.h */
	const char *user;     /* whom `send` lets do no more than the interface needs */
	u64 body_max;	      /* bytes of one request; 64 KiB..64 MiB */
	u64 upload_max;	      /* bytes of one file that is brought; 1 MiB..64 GiB */
	u64 image_max;	      /* bytes of one image for mail; 64 KiB..64 MiB */
	u64 images_max;	      /* of all of them; 1 MiB..64 TiB */
	u32 rate;	      /* calls a second of one key; 0: no limit; 0..100000 */
	u32 workers;	      /* threads that answer; 0..16; 0: one per core */
	const char *audience; /* absolute path of the folder of contacts and all that */
	const char *url;      /* "https://mail.example.jp": of our pages; NULL: there are none */
	u64 audience_max;     /* bytes it may become; 64 MiB..64 TiB */
	const char *metrics;  /* "127.0.0.1:9643": its page; NULL: none */
	bool check_identity;  /* campaigns begin when DNS vouches for them: web/identity.h */
};

/* The web server for people and programs: `hikyaku www`, which runs lighttpd. */
struct config_www {
	struct config_list listen;     /* "0.0.0.0:80": at least one */
	struct config_list listen_tls; /* "0.0.0.0:443"; CONFIG_NOWHERE: pages go in the clear */
	struct config_list names; /* hosts that are served; empty: the machine's own name */
	const char *site;	  /* folder of the customer's own pages */
	const char *folder;	  /* certificates, keys, the log of requests */
	const char *run;	  /* what need not outlive the machine's start */
	const char *server;	  /* lighttpd's path */
	const char *certificate; /* PEM file with those that lead to its root; NULL: none */
	const char *key;	 /* of that certificate; NULL: in the same file */
	bool acme;		 /* certificates are asked for: RFC 8555 */
	const char *acme_directory; /* https URL */
	const char *acme_contact;   /* mailbox; NULL: none */
	const char *acme_ca_file;   /* who vouches for the authority's server; NULL: usual ones */
	u64 acme_early_ms;	    /* before the end; 1d..60d */
	u64 hsts_ms;		    /* 0: browsers are not told to stay with TLS; 0..2y */
	u32 connections;	    /* 64..60000 */
	u32 connections_per_client; /* of one IPv4 address or IPv6 /64; 4..60000 */
	bool access_log;
	u64 access_log_max; /* bytes of one file, of two; 64 KiB..1 TiB */
};

/* Mail that users hand in for others: `hikyaku receive` does that, too (RFC 6409). */
struct config_submission { /* each list may say CONFIG_NOWHERE */
	struct config_list listen;	 /* "0.0.0.0:587": STARTTLS comes first */
	struct config_list listen_tls;	 /* "0.0.0.0:465": TLS from the first byte on (RFC 8314) */
	struct config_list listen_clear; /* loopback alone: TLS is offered and need not be */
	const char *users; /* path: base/user_file.h; NULL: there is no such section */
	const char *spool; /* folder */
	u64 message_max;   /* bytes; 64 KiB..31 MiB */
	u32 recipients;	   /* of one message; 100..1000 */
	u32 per_hour;	   /* recipients of one user; 0: no limit */
};

struct config_site {
	const char *name;
	struct config_list mx;	    /* patterns of MX host names; none in "default" */
	u32 sessions;		    /* 1..65536 */
	u32 messages_per_session;   /* 1..1000000 */
	u32 rate_per_s;		    /* 0..1000000; 0: no limit */
	u32 per_minute;		    /* messages in any minute, hour, day; 0..1e9; 0: no limit */
	u32 per_hour;
	u32 per_day;
	u32 total_sessions;	    /* of all source addresses together; likewise, 0: no limit */
	u32 total_rate_per_s;
	u32 total_per_minute;
	u32 total_per_hour;
	u32 total_per_day;
	u32 reserve_percent;	    /* of what minutes, hours and days may have: not for bulk */
	u32 warm_up_first;	    /* messages of a new address's first day; 1..1e6 */
	u32 warm_up_growth_percent; /* each day of the one before; 101..300 */
	u32 warm_up_target;	    /* a day with so many is the last one of the plan; 1..1e9 */
	bool adaptive;		    /* answers teach how much is taken: delivery/shaper.h */
	u32 depth;		    /* messages under way in a session; 1..CONFIG_DEPTH_MAX */
	u32 recipients_per_message; /* 1..CONFIG_RECIPIENTS_MAX */
	enum config_tls tls;
	enum config_tls_kernel tls_kernel;
	enum config_dots odd_dots;
	u32 bad_mailbox_strikes;    /* 1..100: so many such answers suppress an address */
	u64 bad_mailbox_apart_ms;   /* 0..1y: counted when so long after the one before */
	u64 idle_ms;		    /* 0..5m: how long a session is kept with nothing to send */
	/* How long is waited: for the connection 100ms..5m, else 100ms..1h. */
	u64 connect_timeout_ms;
	u64 greeting_timeout_ms;
	u64 ehlo_timeout_ms;	    /* EHLO, HELO, STARTTLS */
	u64 tls_timeout_ms;	    /* the handshake */
	u64 mail_timeout_ms;
	u64 rcpt_timeout_ms;
	u64 data_timeout_ms;
	u64 block_timeout_ms;	    /* content that the receiver does not take */
	u64 dot_timeout_ms;	    /* the reply to a message */
	u64 quit_timeout_ms;
	u64 message_timeout_ms;	    /* one message in all; 1s..1d */
	/* Who gave the values: bits by config_site_option. What neither gives is the default's. */
	u64 own;     /* the operator's section */
	u64 shipped; /* the shipped rule; what the operator gives counts more */
};

struct config_route {
	const char *domain; /* pattern, see config_pattern_matches */
	const char *relay;  /* "127.0.0.1:2525" or "[::1]:2525": where to, instead of the MX */
};

/* A pattern of the operator's for what receivers say: every condition that is given must hold. */
struct config_reply {
	const char *name;
	enum smtp_class class;	 /* what replies that match are about; never NONE or UNKNOWN */
	u16 code;		 /* leading digits: 4, 55, 550; 0: any */
	u16 enhanced[3];	 /* detail SMTP_ANY_DETAIL: any; all 0: no condition */
	struct config_list text; /* fragments in this order: lower case, no two spaces in a row */
	struct config_list mx;	 /* patterns of MX host names; none: any host */
	/* As they stand in the file; NULL when not given. */
	const char *class_name;
	const char *code_text;
	const char *enhanced_text;
};

/* Where entries of the delivery log are posted to: `hikyaku hook`. */
struct config_hook {
	const char *name;        /* 1 to 63 letters, digits, '-', '_' and '.' */
	const char *url;	 /* http only with allow_private */
	const char *secret_file; /* absolute path */
	struct config_list events; /* outcomes of the delivery log; empty: all of them */
	struct config_list customers; /* domains; empty: all */
	const char *ca_file; /* certificates that the receiver's is judged by; NULL: usual ones */
	u32 batch;	     /* entries in one post at most; 1..1000 */
	bool allow_private;  /* addresses that are not public may be connected to */
	u64 timeout_ms;	     /* of one post; 1s..2m */
	u64 retry_ms;	     /* wait after the first failure; 100ms..1h */
	u64 suspend_after_ms; /* of failing; 1h..60d */
};

struct config {
	const char *data;    /* absolute path */
	const char *control; /* absolute path of a unix socket, fits sockaddr_un */
	u32 workers;	     /* 0..256; 0: one per core */
	enum config_log log;
	const char *metrics_listen; /* "127.0.0.1:9641" */
	const char *metrics_textfiles; /* folder of others' pages; NULL: none */
	bool provider_rules; /* those that come with the program count */
	bool tls_report; /* what TLS comes to is told to the domains that ask for it */
	const char *tls_report_contact; /* an address; NULL: the first customer's postmaster */
	struct config_dns dns;
	struct config_queue queue;
	struct config_retry retry;
	struct config_suppression suppression;
	const struct config_customer *customers;
	size_t customer_count;		 /* at least 1 */
	u32 source_count; /* different addresses of all customers, without CONFIG_ANY_ADDRESS */
	const struct config_site *sites; /* [0] is "default"; values not given are those of it */
	size_t site_count;		 /* at least 1; shipped ones behind the operator's */
	const struct config_route *routes;
	size_t route_count;
	const struct config_reply *replies; /* in the order of the file */
	size_t reply_count;
	struct config_receive receive;
	struct config_web web;
	struct config_www www;
	struct config_submission submission;
	const struct config_hook *hooks;
	size_t hook_count;
	struct arena arena;
};

/*
 * Reads and checks the file. False with the error set; then there is nothing to free. One thread at
 * a time: libconfuse keeps its scanner in global variables.
 */
bool config_read(struct config *config, const char *path, struct error *error) MUST_CHECK;

/* The same from memory; `name` stands for the file in errors and need not outlive the call. */
bool config_parse(struct config *config, struct slice text, const char *name,
		  struct error *error) MUST_CHECK;

void config_free(struct config *config); /* also of a zeroed struct; twice is harmless */

/*
 * Patterns of sites and routes: "*" is every name, "*.example.com" every name below example.com
 * (not itself), anything else the name. `name` in any case, a final dot does not count.
 */
bool config_pattern_matches(const char *pattern, struct slice name);

/* The first site with a pattern that matches, else the default. Never NULL. */
const struct config_site *config_site_of(const struct config *config, struct slice mx_host);
/* The text of the rules for large receivers that come with the program. */
struct slice config_provider_rules(void);

/*
 * The options of a site, one by one, for people: index from 0; NULL: there are no more. "mx" is one
 * of them.
 */
const char *config_site_option(size_t index);
/* Its value as the file would have it, without quotes. */
void config_site_value(const struct config_site *site, size_t index, struct buf *out);
/*
 * Sets one option, but not "mx"; its bit in `own` is set, too. False: the sentence says what is
 * expected.
 */
bool config_site_set(struct config_site *site, struct slice option, struct slice value,
		     struct error *error) MUST_CHECK;
/* Whether there is such an option, and it can be set. */
bool config_site_has_option(struct slice option);
/* Values of `from` that its `own` says, over those of `to`. */
void config_site_lay_over(struct config_site *to, const struct config_site *from);

/*
 * The self-test's domain, which nobody can have (RFC 2606 section 2), goes to its receiver on
 * loopback unless a route of the configuration names it.
 */
#define CONFIG_SELFTEST_DOMAIN "selftest.invalid"
#define CONFIG_SELFTEST_RELAY "127.0.0.1:2599"

/* The most specific route of a domain: the name, then the longest "*." pattern, then "*"; or NULL.
 */
const struct config_route *config_route_of(const struct config *config, struct slice domain);
/* Words that a hook's events may be: the outcomes of the delivery log; NULL at the end. */
extern const char *const config_events[];
/* The customer with that domain, or NULL. */
const struct config_customer *config_customer_of(const struct config *config, struct slice domain);

#endif
