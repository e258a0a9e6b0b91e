/*
 * Who encrypts what a session sends: OpenSSL in the process or, from a message on that is large
 * enough for its path, the kernel. That is tried once in a session; where it cannot be, the session
 * goes on as it was.
 */
#include "delivery/worker_parts.h"

#include "base/check.h"
#include "base/log.h"

static const u8 results[] = {
	[CONN_KERNEL_ON] = METRICS_KERNEL_ON,
	[CONN_KERNEL_MISSING] = METRICS_KERNEL_MISSING,
	[CONN_KERNEL_VERSION] = METRICS_KERNEL_VERSION,
	[CONN_KERNEL_CIPHER] = METRICS_KERNEL_CIPHER,
	[CONN_KERNEL_KEYS] = METRICS_KERNEL_KEYS,
	[CONN_KERNEL_REFUSED] = METRICS_KERNEL_REFUSED,
};

static void count(struct session *session)
{
	enum conn_kernel kernel = conn_kernel(&session->conn);

	ASSERT(kernel >= CONN_KERNEL_ON && kernel < array_count(results));
	metric_add(&session->worker->params.metrics->tls_kernel[results[kernel]], 1);
}

void session_kernel_weigh(struct session *session, u64 size)
{
	const struct targets *targets = &session->route->targets;
	i32 at;

	if (size < session->path->kernel_from || !session->conn.tls ||
	    conn_kernel(&session->conn) != CONN_KERNEL_UNASKED)
		return;
	at = targets_find(targets, session_address(session));
	session->wants_kernel = at >= 0 && !targets->states[at].no_kernel;
}

bool session_kernel_joins(struct session *session)
{
	if (!session->wants_kernel)
		return false;
	session->wants_kernel = false;
	session->joins_kernel = conn_encrypt_in_kernel(&session->conn);
	if (!session->joins_kernel)
		count(session);
	return session->joins_kernel;
}

void session_kernel_joined(struct session *session)
{
	if (session->joins_kernel)
		count(session);
	session->joins_kernel = false;
}

static bool awaits_answer(const struct session *session)
{
	list_for_each(node, &session->jobs) {
		if (list_entry(node, struct job, node)->transaction.ended)
			return true;
	}
	return false;
}

/*
 * The kernels that we run on cannot change a socket's keys, and with the old ones nothing may go
 * any more (RFC 8446 section 4.6.3): what has not been sent goes over another session, by OpenSSL.
 */
void session_kernel_leave(struct session *session)
{
	const struct path *path = session->path;

	if (session->state != SESSION_OPEN || session->broken || awaits_answer(session))
		return;
	log_info("delivery", "receiver wants new keys: the kernel encrypts for it no more",
		 "site=%s", path_text(path, path->site));
	metric_add(&session->worker->params.metrics->tls_kernel[METRICS_KERNEL_LEFT], 1);
	targets_no_kernel(&session->route->targets, session_address(session));
	session_break(session, SESSION_CLOSED);
	session_drain(session);
}
