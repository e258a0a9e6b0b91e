/*
 * Bodies that are forms or files. A form is read whole; a file goes to the disk as it comes
 * (upload.h), so that a call's memory does not depend on it. Private to call.c.
 */
#ifndef WEB_CALL_UPLOAD_H
#define WEB_CALL_UPLOAD_H

#include "web/call.h"

#define UPLOADS_MAX 8 /* of a thread at once */

/* Before the body comes. False: the call was answered. */
bool call_upload_open(struct call *call) MUST_CHECK;
/* The next bytes of it. False: the call was answered. */
bool call_upload_take(struct call *call, struct slice bytes) MUST_CHECK;
/* What the route has not kept goes. */
void call_upload_close(struct call *call);

/*
 * When the body is there: reads the form and, with a session, compares what protects it from other
 * sites. False: the call was answered.
 */
bool call_read_form(struct call *call) MUST_CHECK;

#endif
