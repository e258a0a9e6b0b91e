/*
 * Telling whoever supervises this process that it is ready: the datagram "READY=1" to the socket
 * that the environment names in NOTIFY_SOCKET, as systemd's services of Type=notify do and as init
 * of the appliance expects.
 */
#ifndef BASE_READY_H
#define BASE_READY_H

#include "base/types.h"

/* True also when nobody wants to know; false: errno says why the supervisor was not reached. */
bool ready_tell(void) MUST_CHECK;

#endif
