/*
 * Dates as people write them, to "2026-11-30". Private to the values (value.h).
 *
 *   2026-11-30, 2026/11/30, 2026.11.30, 20261130, with a time of day behind it, which goes
 *   2026年11月30日, 令和8年11月30日, 令和元年5月1日, R8.11.30, also without a day's sign
 *   30.11.2026, 30-Nov-2026: no; 11/30/2026 and 30/11/2026: only where one part cannot be a month
 */
#ifndef CAMPAIGN_VALUE_DATE_H
#define CAMPAIGN_VALUE_DATE_H

#include "campaign/value.h"

/* `text` is trimmed and not empty. */
enum value_problem value_read_date(struct buf *out, struct slice text) MUST_CHECK;

/* In value.c: full-width characters as ASCII; SIZE_MAX: they are more than `size`. */
size_t value_narrow(char *out, size_t size, struct slice text);

#endif
