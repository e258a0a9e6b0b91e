/* Numbers as people write them in lists of recipients: "1200", "-3.50", "1,234,567". */
#ifndef MESSAGE_VALUE_NUMBER_H
#define MESSAGE_VALUE_NUMBER_H

#include "base/buf.h"

struct value_number {
	bool negative;
	u64 whole;
	u32 billionths; /* digits behind the ninth are not looked at */
};

/*
 * The whole text, white space around it apart, is a number: a sign, digits with commas between
 * thousands, a fraction. False: it is none, or has more than 18 digits in front of the point.
 */
bool value_number_read(struct slice text, struct value_number *number);
/* <0, 0, >0 */
int value_number_compare(const struct value_number *a, const struct value_number *b);
/* Appends the text with a comma between thousands; as it is when it is no number. */
void value_number_add(struct buf *out, struct slice text);

#endif
