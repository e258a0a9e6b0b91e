/*
 * Private to config*.c: what may stand in the file before libconfuse sees it, and the shapes of
 * single values. Pure functions of text.
 */
#ifndef BASE_CONFIG_TEXT_H
#define BASE_CONFIG_TEXT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/types.h"

/*
 * Blanks comments, semicolons, carriage returns and a byte order mark, in place and without moving
 * a line; refuses what libconfuse would misread: control characters, strings that do not end,
 * escapes other than of a quote or backslash, "${", '|' (its path separator), '+', and braces
 * without their other half (it takes the end of the file for a closing one). Its scanner also
 * remembers an unfinished string for the next file it reads, and touches memory beside its buffer
 * on some comments; neither can happen with what this lets through.
 */
bool config_clean(char *text, size_t len, const char *name, struct error *error) MUST_CHECK;

/* A bare number counts bytes; K, M, G and T are powers of 1024. */
bool config_size(struct slice text, u64 *bytes) MUST_CHECK;

/*
 * Shapes. Each returns the text in its one spelling (lower case, inet_ntop's form, as given),
 * copied to the arena; NULL when the text has another shape (or the arena is full).
 */
typedef const char *config_shape(struct arena *arena, struct slice text);

config_shape config_shape_any;	     /* not empty */
config_shape config_shape_path;	     /* absolute */
config_shape config_shape_www_path;  /* such a path, without what lighttpd's strings escape */
config_shape config_shape_socket;    /* absolute and short enough for sockaddr_un */
config_shape config_shape_block_list; /* such a domain, or "none" */
config_shape config_shape_domain;    /* LDH labels with a dot, 253 bytes, not an IPv4 address */
config_shape config_shape_selector;  /* labels, '_' allowed, dots allowed */
config_shape config_shape_pattern;   /* "*", "*.domain" or a domain */
config_shape config_shape_source;    /* IP address or "any" */
config_shape config_shape_endpoint;  /* "192.0.2.1:25", "[2001:db8::1]:25" */
config_shape config_shape_door;      /* an endpoint, or CONFIG_NOWHERE */
config_shape config_shape_loopback;  /* an endpoint in 127.0.0.0/8 or at [::1] */
config_shape config_shape_forwarder; /* "192.0.2.1", "192.0.2.1@53", IPv6 the same */
config_shape config_shape_stub;	     /* zone, space, forwarder */
config_shape config_shape_range;     /* "10.0.0.0/8": no bits set behind the prefix */
config_shape config_shape_local;  /* prefix of a local part: atext without '+', at most 24 bytes */
config_shape config_shape_url;	  /* https://host/..., has {{_token}} */
config_shape config_shape_site_url; /* https or http and a host, no '/' at the end */
config_shape config_shape_hook_url; /* http or https, a host, neither user nor fragment */
config_shape config_shape_hook_name; /* 1 to 63 letters, digits, '-', '_' and '.' */
config_shape config_shape_event;  /* one of config_events */
config_shape config_shape_mailto; /* local@domain, {{_token}} in the local part */
config_shape config_shape_mailbox; /* local@domain, visible ASCII without '<', '>', ',' and ';' */
config_shape config_shape_reply_class;	  /* name of a class other than "unknown" */
config_shape config_shape_reply_code;	  /* 1 to 3 digits, the first 4 or 5 */
config_shape config_shape_reply_enhanced; /* "5.7.1" or "5.7" */
config_shape config_shape_fragment; /* CONFIG_FRAGMENT_MIN to _MAX bytes once in lower case and
				       single spaces */

/* What the shapes above let through as numbers; NULL: zeros. */
u16 config_reply_code(const char *text);
void config_reply_enhanced(const char *text, u16 enhanced[3]);

#endif
