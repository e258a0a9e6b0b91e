/*
 * Names for completion: asked of the daemons, read from the configuration or a folder. Whoever does
 * not answer within a second has none; nothing is said about it.
 */
#ifndef CONSOLE_NAMES_H
#define CONSOLE_NAMES_H

#include "console/complete.h"

#define NAMES_ZONES "/usr/share/zoneinfo"
/* A time zone that this system knows. */
bool names_is_zone(const char *zone);

void names_offer(enum name_kind kind, struct completions *completions);

#endif
