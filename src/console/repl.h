/*
 * The appliance's console: reads commands and runs them, each in a process of its own, so that
 * Ctrl-C ends the command and never the console. Login shell of ssh, and what init keeps on ttyS0
 * and tty1. It starts no other program, and there is no way out of it but the end of the session.
 */
#ifndef CONSOLE_REPL_H
#define CONSOLE_REPL_H

/*
 * `console`: reads commands until the end of the input, `exit` or Ctrl-D.
 * `console -c LINE`: runs that one command, as ssh asks a login shell to; its exit code is ours.
 */
int console_repl_main(int argc, char **argv);

#endif
