/*
 * The network as init tells it, for people.
 */
#ifndef CONSOLE_NETWORK_H
#define CONSOLE_NETWORK_H

#include <jansson.h>

/* The list of interfaces in an answer of init's: in system.status or network.show. */
const json_t *network_interfaces(const json_t *answer);
/* A paragraph for each interface, then resolvers. */
void network_print(const json_t *answer);

#endif
