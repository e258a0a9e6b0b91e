/* Private to command_table*.c: the table is one, in two files. */
#ifndef CONSOLE_COMMAND_TABLE_H
#define CONSOLE_COMMAND_TABLE_H

#include "console/command.h"

extern const struct command command_machine_rows[];
extern const size_t command_machine_count;

#endif
