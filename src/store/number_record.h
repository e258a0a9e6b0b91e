/*
 * A record of a few numbers of which most are zero: a version byte, a u32 with a bit for each that
 * is not, and those as u32. Private to the room.
 */
#ifndef STORE_NUMBER_RECORD_H
#define STORE_NUMBER_RECORD_H

#include "base/types.h"

#define NUMBER_RECORD_FIELDS_MAX 32
#define NUMBER_RECORD_MAX (5 + 4 * NUMBER_RECORD_FIELDS_MAX)

/* Into NUMBER_RECORD_MAX bytes; returns how many. */
size_t number_record_write(u8 *at, u8 version, const u32 *numbers, u32 count);
/* Fills all `count` numbers. False: another version, or a number that is not known here. */
bool number_record_read(struct slice record, u8 version, u32 *numbers, u32 count) MUST_CHECK;

#endif
