/*
 * SMTP command lines. Everything the client says passes through one function that refuses bytes
 * which could end a line or a path early: the addresses come from people's lists, and a CR LF in
 * one of them would be a command of somebody else's (RFC 5321 section 4.1.2).
 */
#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include "base/types.h"

/*
 * Longest mailbox on the wire. RFC 5321 section 4.5.3.1.3 has 256 for a path, some hosts take
 * more; 64 for the local part, 255 for the domain and quotes fit.
 */
#define SMTP_PATH_MAX 384
/* Longest line that smtp_command_write makes: verb, path, all parameters, CR LF. */
#define SMTP_COMMAND_MAX 512

enum smtp_path {
	SMTP_PATH_BAD,   /* longer than SMTP_PATH_MAX, or has control bytes, SP, < or > */
	SMTP_PATH_ASCII, /* also the empty path */
	SMTP_PATH_UTF8,  /* has octets over 127: needs SMTPUTF8 (RFC 6531) */
};
enum smtp_path smtp_path_check(struct slice path);

struct smtp_command {
	struct slice verb;       /* with what stands between it and the argument: "MAIL FROM:" */
	bool bracketed;          /* put < > around the argument */
	/*
	 * `"a..b"@x` is written `a..b@x`, against RFC 5321 section 4.1.2. Only where nothing but
	 * odd dots asks for the quotes: what else is quoted stays so.
	 */
	bool raw_dots;
	struct slice argument;   /* mailbox or host name; may be empty */
	struct slice parameters; /* ours, not checked: each with a space in front; may be empty */
};

/*
 * Writes the line with its CR LF; returns its length. 0: nothing written, since `room` is too
 * small or the argument is SMTP_PATH_BAD.
 */
size_t smtp_command_write(char *to, size_t room, const struct smtp_command *command) MUST_CHECK;

/* Decimal digits of a number; returns how many. No NUL is written. */
#define SMTP_DIGITS_MAX 20
size_t smtp_digits_write(char to[SMTP_DIGITS_MAX], u64 number) MUST_CHECK;

#endif
