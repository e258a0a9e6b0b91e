/*
 * Lists among the merge values of a recipient: what `{{#each items}}` runs over. A list is packed
 * into the one byte string that a value is:
 *
 *   list    0xFD, then for each item: length, the item
 *   object  0xFE, then for each member: length, its name, length, its value
 *   text    anything else: UTF-8, which neither octet begins
 *
 * An item and a member's value are again text, object or list; lengths are varints (groups of seven
 * bits, lowest first; the top bit says that more follow). The empty list is the octet alone.
 * A text where a list is asked for is a list of that one item; an empty text has none.
 */
#ifndef MESSAGE_LIST_VALUE_H
#define MESSAGE_LIST_VALUE_H

#include "base/buf.h"

/* Writing: begin, then add; what is added was written the same way, or is text. */
void list_value_begin(struct buf *out);
void list_value_add(struct buf *out, struct slice item);
void object_value_begin(struct buf *out);
void object_value_add(struct buf *out, struct slice name, struct slice value);

bool value_is_list(struct slice value);
bool value_is_object(struct slice value);

/* *rest becomes what list_value_next takes items from. */
void list_value_open(struct slice value, struct slice *rest, bool *is_text);
/* False at the end, and where the bytes are damaged. `rest` of a text: the text once. */
bool list_value_next(struct slice *rest, bool is_text, struct slice *item);
/* Value of a member; empty when there is none, and when `object` is no object. */
struct slice object_value_find(struct slice object, struct slice name);

#endif
