/*
 * Undoing transfer encodings of mail that came in, errors read over: what is no escape stays as it
 * is, what is no base64 is skipped. Private to the readers of mail. Each appends to `out` and
 * writes no more octets than it reads.
 */
#ifndef SMTP_MAIL_DECODE_H
#define SMTP_MAIL_DECODE_H

#include "base/buf.h"
#include "base/types.h"

/* The octet that two hexadecimal digits at the front of s are, or -1. */
int mail_hex(struct slice s);

/* `mark` and two hexadecimal digits are an octet: "%41" (RFC 2231), "+2B" (RFC 3461), "=41". */
void mail_add_escaped(struct buf *out, struct slice s, char mark);
/* "Q" of encoded words (RFC 2047 section 4.2): '=', and '_' for a space. */
void mail_add_escaped_words(struct buf *out, struct slice s);
/* Quoted-printable (RFC 2045 section 6.7) with CRLF or LF line ends. */
void mail_add_quoted(struct buf *out, struct slice s);
/* Base64, up to its padding. */
void mail_add_base64(struct buf *out, struct slice s);

#endif
