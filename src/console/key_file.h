/*
 * The file with the keys of programs (base/api_key.h), read to be changed: nobody else who opens it
 * here changes it meanwhile, so no key that was just made is lost.
 */
#ifndef CONSOLE_KEY_FILE_H
#define CONSOLE_KEY_FILE_H

#include "base/api_key.h"
#include "base/config.h"
#include "console/console.h"

/* Too much for a stack. */
struct key_file {
	struct config config;
	struct api_keys keys;
	int lock;
};

/* False: said why; *code is the exit code. */
bool key_file_open(struct console *console, struct key_file *file, int *code) MUST_CHECK;
/* Replaces the file on the disk. */
bool key_file_write(struct key_file *file, struct error *error) MUST_CHECK;
void key_file_close(struct key_file *file);

#endif
