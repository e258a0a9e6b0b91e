/*
 * The sender's configuration as a whole: shown, and replaced by one that was checked.
 */
#ifndef CONSOLE_SENDER_CONFIG_H
#define CONSOLE_SENDER_CONFIG_H

#include "base/error.h"
#include "base/types.h"

/*
 * Checks the text and puts it in the place of the file, readable for the sender. False: it is as it
 * was.
 */
bool sender_config_write(const char *path, struct slice text, struct error *error) MUST_CHECK;

#endif
