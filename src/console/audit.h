/*
 * Every line that is typed on the appliance's console goes to init's log, with who typed it. Waits
 * a second at most; without an init nothing happens.
 */
#ifndef CONSOLE_AUDIT_H
#define CONSOLE_AUDIT_H

void audit_note(const char *line);

#endif
