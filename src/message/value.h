/*
 * The value that a recipient gives a merge field: looked up, filtered, escaped for its place. The
 * result is UTF-8 with LF line ends; charset and transfer encoding come after.
 */
#ifndef MESSAGE_VALUE_H
#define MESSAGE_VALUE_H

#include "message/compiled.h"

#define VALUE_STEPS_MAX 250000 /* literals, fields and turns of one message's run */

/* A loop that runs. */
struct value_loop {
	struct slice rest; /* the items behind `item` */
	struct slice item;
	bool is_text; /* a text stands for a list of one */
	u32 index;    /* of the item, from 1 */
};

struct value_maker {
	const struct message *message;
	const struct message_recipient *recipient;
	struct buf *work; /* two buffers that take turns */
	u32 turn;
	char email[ADDRESS_WIRE_MAX + 1];
	size_t email_len;
	char date[10];
	char number[24]; /* {{_index}} */
	struct value_loop loops[TEMPLATE_LOOPS_MAX]; /* from the outside */
	u32 loop_count;
	u32 steps;
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

/* As value_get, but not escaped for a place. A list or an object passes as it is packed. */
bool value_filtered(struct value_maker *maker, const struct template_field *field,
		    struct slice *value);

/*
 * value_turn.c: takes the turn of that number. 1: the text goes on behind the mark of *target; 0:
 * behind its own; -1: error says why not.
 */
int value_turn(struct value_maker *maker, u32 number, u32 *target);
/* Counts a step. False: the run takes too many. */
bool value_step(struct value_maker *maker, u32 number);

/* Writes "name:line: field "x": why" and returns false. */
bool value_refuse(const struct value_maker *maker, const struct template_field *field,
		  const char *why);

/* The other of the two buffers, empty; for the step behind value_get. */
struct buf *value_next_buffer(struct value_maker *maker);

#endif
