/*
 * The value that a recipient gives a merge field: looked up, filtered, escaped for its place. The
 * result is UTF-8 with LF line ends; charset and transfer encoding come after.
 */
#ifndef MESSAGE_VALUE_H
#define MESSAGE_VALUE_H

#include "message/compiled.h"

struct value_maker {
	const struct message *message;
	const struct message_recipient *recipient;
	struct buf *work; /* two buffers that take turns */
	u32 turn;
	char email[ADDRESS_WIRE_MAX + 1];
	size_t email_len;
	char date[10];
	struct error *error;
};

void value_maker_init(struct value_maker *maker, const struct message *message,
		      const struct message_recipient *recipient, struct buf work[2],
		      struct error *error);

/*
 * *value is valid until the second next call, or as long as the recipient's values when nothing had
 * to be changed. False: bad UTF-8 or NUL, a line end in a header place, or too big.
 */
bool value_get(struct value_maker *maker, const struct template_field *field, struct slice *value);

/* Writes "name:line: field "x": why" and returns false. */
bool value_refuse(const struct value_maker *maker, const struct template_field *field,
		  const char *why);

/* The other of the two buffers, empty; for the step behind value_get. */
struct buf *value_next_buffer(struct value_maker *maker);

#endif
