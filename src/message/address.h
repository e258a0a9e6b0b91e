/*
 * Mail addresses. Parsed once into local part and domain, carried as the pair, quoted again on
 * output; no text is ever passed through (RFC 5321 section 4.1.2, RFC 5322 section 3.4, RFC 6531).
 */
#ifndef MESSAGE_ADDRESS_H
#define MESSAGE_ADDRESS_H

#include "base/buf.h"
#include "base/error.h"
#include "base/types.h"

#define ADDRESS_LOCAL_MAX 64
#define ADDRESS_DOMAIN_MAX 253
#define ADDRESS_WIRE_MAX (2 * ADDRESS_LOCAL_MAX + 2 + 1 + ADDRESS_DOMAIN_MAX)

struct address {
	char local[ADDRESS_LOCAL_MAX * 2 +
		   1]; /* meaning of the local part: unquoted, NUL-terminated */
	char domain[ADDRESS_DOMAIN_MAX + 1]; /* A-labels, lower case (IDNA 2008 by libidn2) */
	u16 local_len;
	u16 domain_len;
	bool utf8_local;   /* needs SMTPUTF8 */
	bool not_dot_atom; /* dots at odd places (old Japanese carrier addresses): sent quoted */
};

/*
 * Parses one addr-spec with white space around it, no display name, no angle brackets, no comments.
 * Accepts `a..b@docomo.ne.jp`, `ab.@...`, `.ab@...` (marked not_dot_atom; equal to their quoted
 * twins). Refuses CR, LF, NUL, other control bytes, address literals, empty parts, over-long parts
 * (local part 64 octets, domain 253), domains of one label, bad UTF-8; the error says which.
 */
bool address_parse(struct address *address, struct slice text, struct error *error);

/* Parses "Display Name <a@b>" or "a@b" (for From, Reply-To and command lines); name may be NULL. */
bool address_parse_mailbox(struct address *address, struct buf *name, struct slice text,
			   struct error *error);

/* Wire form `local@domain`, local part quoted when it is not a dot-atom. <= ADDRESS_WIRE_MAX. */
void address_add_wire(const struct address *address, struct buf *out);
/*
 * The domain of an address that is in wire form already: what stands behind its last '@'. A view of
 * `wire`; SLICE_NONE when there is no '@'.
 */
struct slice address_wire_domain(struct slice wire);
/*
 * Key for equality (suppression, deduplication): unquoted local part folded to ASCII lower case,
 * '@', domain. Dots and tags are kept: `a..b` and `ab` are different people.
 */
void address_add_key(const struct address *address, struct buf *out);
/*
 * The same key from the wire form, which must be one that address_add_wire made: into `out` of
 * ADDRESS_WIRE_MAX bytes; its length.
 */
size_t address_key_of_wire(char *out, struct slice wire);

#endif
