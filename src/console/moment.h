/*
 * Moments as people type them, in the time zone of the console.
 */
#ifndef CONSOLE_MOMENT_H
#define CONSOLE_MOMENT_H

#include "base/error.h"
#include "base/types.h"

/*
 * "2026-11-30", "2026-11-30 14:05", "2026-11-30 14:05:09" (also with T between; with Z behind,
 * UTC), "14:05" today, "today", "yesterday", "now", "@1764500000" (seconds since 1970), and
 * durations for so long ago: "30m", "2h", "7d". Wall clock, ms. False and a sentence.
 */
bool moment_parse(struct slice text, u64 now_ms, u64 *wall_ms, struct error *error) MUST_CHECK;

#endif
