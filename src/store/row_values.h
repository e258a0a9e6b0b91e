/*
 * Merge values of one recipient, packed into one byte string: per value a varint length and the
 * bytes. Trailing empty values are left out. A value may be a list: message/list_value.h.
 */
#ifndef STORE_ROW_VALUES_H
#define STORE_ROW_VALUES_H

#include "base/buf.h"
#include "base/types.h"

/* Appends `count` values to `out`. */
void row_values_pack(struct buf *out, const struct slice *values, size_t count);
/*
 * Fills up to `max` slices (views of `packed`), the rest with empty slices. False when the bytes
 * are not a packed row (a damaged record) or hold more than `max` values.
 */
bool row_values_unpack(struct slice packed, struct slice *values, size_t max) MUST_CHECK;

#endif
