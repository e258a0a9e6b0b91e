/*
 * From a template to what goes over the wire. `message_compile` works once per campaign: it parses
 * the template, chooses charset and transfer encodings, encodes and dot-stuffs every literal,
 * hashes what all recipients share (or keeps the SHA-256 midstate at the first merge field) and
 * prepares the DKIM plan. `message_compose` works once per recipient, without allocating once it is
 * warm, and hands out pieces: views of shared literals and of a few bytes made for that recipient.
 *
 * Standards: RFC 5322, 2045-2049, 2047, 2231, 6532, 2369, 8058; ISO-2022-JP by RFC 1468.
 */
#ifndef MESSAGE_MESSAGE_H
#define MESSAGE_MESSAGE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/piece.h"
#include "dkim/sign.h"
#include "message/address.h"

#define MESSAGE_PIECES_MAX                                                                         \
	48 /* composed pieces; short literals between fields are copied together */
#define MESSAGE_COLUMNS_MAX 256
#define MESSAGE_TEMPLATE_MAX (32u << 20)

enum message_charset { MESSAGE_UTF8, MESSAGE_ISO_2022_JP };
enum message_encoding {
	MESSAGE_ENCODING_AUTO, /* 7bit, quoted-printable or base64: survives every relay unchanged
				*/
	MESSAGE_ENCODING_8BIT, /* 8bit where the receiver offers 8BITMIME, else as AUTO */
};

/*
 * The source: either a whole RFC 5322 template (headers, empty line, body: a single text part, or
 * any MIME structure, whose text parts may hold merge fields), or `headers` with `text` and/or
 * `html` (UTF-8, any line ends) from which multipart/alternative is made. Names are for error
 * messages.
 */
struct message_source {
	const char *name;
	struct slice whole;
	struct slice headers;
	struct slice text;
	struct slice html;
};

/*
 * Reusable fragments of bodies: `{{>name}}`. `find` gives the text of one, as HTML or as plain text
 * (UTF-8, any line ends; valid until the call that asked is over); false: there is none.
 */
struct message_blocks {
	void *owner;
	bool (*find)(void *owner, struct slice name, bool html, struct slice *text);
};

struct message_options {
	enum message_charset charset;
	enum message_encoding encoding;
	const struct slice *columns; /* names of the merge fields that recipients bring */
	size_t column_count;
	const struct dkim_key *const *keys; /* none: messages are not signed (benches only) */
	size_t key_count;
	u64 dkim_expire_s;
	/*
	 * List-Unsubscribe when the template has none: URL and mailto address, each with merge
	 * fields (normally {{_token}}); empty: none. An https URL adds List-Unsubscribe-Post (RFC
	 * 8058).
	 */
	struct slice unsubscribe_url;
	struct slice unsubscribe_mailto;
	/*
	 * Somebody's own mail, not a template: braces are text, and header fields pass as they are,
	 * folds included, unless they are not ASCII. Bcc and Return-Path are left out, fields of
	 * transports stay; without To and Cc it gets an empty group for To. The body of a `whole`
	 * keeps its bytes, too (boundaries, preamble, what is signed inside), unless the road would
	 * not: lines over 998 octets, more than 20 lines that begin with a dot, octets over 127
	 * that nothing labels, or for a receiver without 8BITMIME.
	 */
	bool literal;
	const struct message_blocks *blocks; /* NULL: there are none */
	bool require_unsubscribe; /* refuse a template that ends up without List-Unsubscribe */
};

struct message; /* compiled; immutable; threads share it */

/*
 * The template language is described in README.md: merge fields `{{name}}` with filters behind
 * bars, conditions, loops over lists (message/list_value.h), blocks. Escaping follows the place:
 * header text (RFC 2047), plain text, HTML text or attribute, URL. Built-in names: `email` (the
 * recipient's address), `_token` (this recipient's authenticated token), `_campaign`, `_date` (RFC
 * 3339 day).
 *
 * Adds when missing: Date, Message-ID (<id.campaign@from-domain>), MIME-Version, To (the
 * recipient's address), List-Unsubscribe with List-Unsubscribe-Post beside an https URL. From must
 * be one address; its domain is the domain of everything.
 *
 * Refuses, naming file:line: unknown fields and filters, unterminated braces, conditions that leave
 * open in which place of the HTML the text goes on, fields in header names, in From, in Content-*
 * and MIME-Version, NUL, bare CR in a `whole`, lines over 998 bytes in a part that declares 7bit or
 * 8bit, bad UTF-8, header fields without a colon, missing or repeated From, Subject twice, headers
 * that transports own (Received, Return-Path, DKIM-Signature, Bcc), characters that ISO-2022-JP
 * cannot carry (names the character; half-width kana are turned to full width, ① and 髙 refused with
 * advice), fields inside base64-declared parts.
 */
struct message *message_compile(const struct message_source *source,
				const struct message_options *options, struct error *error);
/*
 * Appends a body's text with its blocks in place, for whoever hands a template on to where there
 * are no blocks. Refuses unknown blocks, blocks inside each other more than 8 deep (so that none
 * holds itself), and more than 1000 in all; the error names the block that it is in.
 */
bool message_blocks_expand(const char *name, struct slice text, bool html,
			   const struct message_blocks *blocks, struct buf *out,
			   struct error *error) MUST_CHECK;
void message_free(struct message *message);

struct message_facts {
	char from_domain[ADDRESS_DOMAIN_MAX + 1];
	struct address from; /* the author's */
	bool body_is_shared;     /* no merge field in the body: hashed once for all */
	u64 body_bytes;          /* literal bytes of the body */
	u64 shared_prefix_bytes; /* canonical body bytes hashed once */
	u32 field_uses;
	bool is_same_for_all;     /* one transaction may carry it to many recipients at once */
	bool has_unsubscribe;
	bool has_one_click;
};
void message_facts(const struct message *message, struct message_facts *facts);

/* What one recipient brings. */
struct message_recipient {
	const struct address *address;
	const struct slice *values; /* one per column, UTF-8; missing ones are empty slices */
	size_t value_count;
	struct slice token; /* {{_token}}: [a-z0-9-], unique per recipient, same on every retry */
	struct slice id;    /* left side of Message-ID, likewise; empty: the token serves */
	struct slice campaign; /* for {{_campaign}} and Message-ID; may be empty */
	u64 date_ms; /* Date, t=: the same on every retry, so that the bytes are the same */
};

enum message_result {
	MESSAGE_OK,
	MESSAGE_BAD_VALUE, /* this recipient cannot be served: error says which field and why */
	MESSAGE_TOO_BIG,   /* scratch memory's maximum reached */
	MESSAGE_NO_MEMORY, /* not now: nothing is wrong with the recipient */
};

/*
 * A composed message. Owned and reused by the caller: one per message being sent. `head` and
 * `scratch` keep their memory between messages.
 */
struct message_composed {
	struct buf head;    /* DKIM-Signature field(s) and the header fields of this recipient */
	struct buf scratch; /* encoded values and short literals */
	struct piece pieces[MESSAGE_PIECES_MAX];
	u32 piece_count;
	u64 size; /* without stuffing */
	bool eightbit;
	bool utf8_headers;
	struct dkim_work dkim;
	bool is_signed;
	u64 hashed_bytes;   /* body bytes (as sent, without stuffing) hashed for this recipient */
	u64 saved_bytes;    /* likewise: those whose hash was shared */
	struct buf fields;  /* private: header fields before they are signed */
	struct buf work[3]; /* private: values being filtered and escaped */
};
void message_composed_init(struct message_composed *composed);
void message_composed_done(struct message_composed *composed);

/*
 * `eightbit_ok`: the receiver offers 8BITMIME. The result is complete but for the signature: the
 * caller runs dkim_sign on composed->dkim (alone or in a batch), then message_seal.
 * Values with CR, LF or NUL in a header place, or bad UTF-8 anywhere, are MESSAGE_BAD_VALUE; line
 * ends inside a value in a body place become CRLF.
 */
enum message_result message_compose(const struct message *message,
				    const struct message_recipient *recipient, bool eightbit_ok,
				    struct message_composed *composed, struct error *error);
void message_seal(struct message_composed *composed);

#endif
